"""What a family's page of its contract asks of the house; nothing is answered for an unknown or ended link."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.guardian_codes import Outcome
from service.pages.guardian_contract_views import FamilyContractPage, TypedAgreement
from service.pages.guardian_views import SentCode


class FamilyContractDesk(Protocol):
    """A contract is read and agreed to behind its link, with a one-time code."""

    def family_contract(self, link_digest: bytes, token: str, now: datetime) -> FamilyContractPage | None:
        """Return the contract, and where a code can be sent."""

    def ask_to_agree(self, link_digest: bytes, typed: TypedAgreement, language: str, now: datetime) -> UUID | None:
        """Send a code for what was read; raises ``Refused`` unless it was ticked, ``Conflict`` when it has changed."""

    def agree_code(self, link_digest: bytes, code_id: UUID, now: datetime) -> SentCode | None:
        """Return what is known of a code that was asked for on this link."""

    def finish_agreeing(self, link_digest: bytes, code_id: UUID, typed: str, now: datetime) -> Outcome | None:
        """Try a code; when it is right, the contract is agreed to and the deposit billed."""
