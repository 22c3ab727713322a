"""What the pages of contracts ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.contract_views import (
    ContractPage,
    ContractsPage,
    IncomePage,
    LatePage,
    NewVersionPage,
    TypedContract,
    TypedEnd,
    TypedTerm,
    TypedVersion,
    VersionPage,
)
from service.pages.plan_views import TypedFile
from service.pages.views import Download


class ContractDesk(Protocol):
    """Versions, contracts, what follows of them, prepaid income and late charges; raises as the rules do."""

    def contracts(self, who: SignedIn, place: Place, words: str, now: datetime) -> ContractsPage:
        """Return the contracts of a school, and the pupils that the words find."""

    def draft_contract(self, who: SignedIn, place: Place, typed: TypedContract, now: datetime) -> UUID:
        """Enter a child that applies, or take a pupil, and draft its contract."""

    def new_contract_version(self, who: SignedIn, place: Place, now: datetime) -> NewVersionPage:
        """Return the form of a new version."""

    def draft_contract_version(self, who: SignedIn, place: Place, typed: TypedVersion, now: datetime) -> UUID:
        """Write a new version."""

    def open_contract_term(self, who: SignedIn, place: Place, typed: TypedTerm, now: datetime) -> None:
        """Make an item for paying ahead."""

    def contract_version(self, who: SignedIn, place: Place, version_id: UUID, now: datetime) -> VersionPage:
        """Return one version."""

    def approve_contract_version(self, who: SignedIn, place: Place, version_id: UUID, now: datetime) -> None:
        """Approve a version that somebody else made."""

    def contract(
        self, who: SignedIn, place: Place, contract_id: UUID, typed: TypedEnd | None, now: datetime
    ) -> ContractPage:
        """Return one contract and, with a day typed, what its end would do."""

    def agree_to_contract(  # noqa: PLR0913, PLR0917  to which, when, by what file
        self, who: SignedIn, place: Place, contract_id: UUID, day: str, due: str, file: TypedFile, now: datetime
    ) -> None:
        """Keep that a guardian signed, and bill the deposit."""

    def open_contract_link(  # noqa: PLR0913, PLR0917  of which contract, until when
        self, who: SignedIn, place: Place, contract_id: UUID, until: str, due: str, now: datetime
    ) -> None:
        """Make the link with which the family reads the contract and agrees, and send it; an older one ends."""

    def send_contract_link(self, who: SignedIn, place: Place, contract_id: UUID, now: datetime) -> None:
        """Send the open link to the family once more; raises ``Conflict`` today, and after some times."""

    def admit_by_contract(self, who: SignedIn, place: Place, contract_id: UUID, class_id: str, now: datetime) -> None:
        """Enrol the child."""

    def decline_contract(self, who: SignedIn, place: Place, contract_id: UUID, typed: TypedEnd, now: datetime) -> None:
        """Close the contract of a child that does not come."""

    def refund_contract_deposit(self, who: SignedIn, place: Place, contract_id: UUID, now: datetime) -> UUID:
        """Ask for what comes back of the deposit to be paid out; return the request."""

    def withdraw_from_contract(  # noqa: PLR0913, PLR0917  from which, by whose word
        self, who: SignedIn, place: Place, contract_id: UUID, typed: TypedEnd, file: TypedFile | None, now: datetime
    ) -> UUID:
        """Let a child leave by its contract; return the leaving."""

    def ask_contract_back_again(self, who: SignedIn, place: Place, contract_id: UUID, now: datetime) -> None:
        """Ask again for what a withdrawal gives back and somebody rejected."""

    def contract_paper(self, who: SignedIn, place: Place, contract_id: UUID, paper_id: UUID, now: datetime) -> Download:
        """Return a file of a contract, and record who opened it."""

    def prepaid_income(self, who: SignedIn, place: Place, month: str, now: datetime) -> IncomePage:
        """Return what closing a month would release."""

    def release_income(self, who: SignedIn, place: Place, month: str, now: datetime) -> None:
        """Close a month."""

    def late_charges(self, who: SignedIn, place: Place, now: datetime) -> LatePage:
        """Return the late bills whose contract has the clause."""

    def add_late_charges(self, who: SignedIn, place: Place, bills: Sequence[str], month: str, now: datetime) -> None:
        """Add their charges to the round of a month."""
