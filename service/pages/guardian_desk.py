"""What the pages of guardians ask of the house; nothing is answered for an unknown or ended link."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.guardian_codes import Outcome
from service.access.roles import Place, SignedIn
from service.pages.guardian_views import ExplainedPage, RegisterPage, SentCode, TypedRegistration, WaitingContact


class CodeDesk(Protocol):
    """A bill's explanation, opened by a one-time code."""

    def explained(
        self, link_digest: bytes, token: str, session_digest: bytes | None, language: str, now: datetime
    ) -> ExplainedPage | None:
        """Return the explanation: full for a session of this child's guardian (and record the look), else plain."""

    def send_code(self, link_digest: bytes, contact: int, language: str, now: datetime) -> UUID | None:
        """Send a code to one of the child's contacts; raises ``NotFound`` for another one, or ``TooManyTries``."""

    def sent_code(self, link_digest: bytes, code_id: UUID, now: datetime) -> SentCode | None:
        """Return what is known of a code that was asked for on this link."""

    def use_code(self, link_digest: bytes, code_id: UUID, typed: str, fresh: bytes, now: datetime) -> Outcome | None:
        """Try a code; when it is right, a session begins under the digest ``fresh``."""

    def end_guardian(self, session_digest: bytes, now: datetime) -> None:
        """End a guardian's session."""

    def stop_notices(self, link_digest: bytes, session_digest: bytes, now: datetime) -> bool | None:
        """Take consents back; false when there is no session of this child's guardian."""


class RegistrationDesk(Protocol):
    """Registration by a family, and the office's list of those to confirm."""

    def register_page(self, link_digest: bytes, now: datetime) -> RegisterPage | None:
        """Return the form."""

    def ask_to_register(
        self, link_digest: bytes, typed: TypedRegistration, language: str, now: datetime
    ) -> UUID | None:
        """Send a code to what was typed; raises ``Refused`` with what is wrong."""

    def register_code(self, link_digest: bytes, code_id: UUID, now: datetime) -> SentCode | None:
        """Return what is known of a code that was asked for on this link."""

    def finish_registering(self, link_digest: bytes, code_id: UUID, typed: str, now: datetime) -> Outcome | None:
        """Try a code; when it is right, the registration is stored and waits for the school."""

    def waiting_contacts(self, who: SignedIn, place: Place) -> tuple[WaitingContact, ...]:
        """Return what families entered and the school has not decided."""

    def accept_contact(self, who: SignedIn, place: Place, registration_id: UUID, now: datetime) -> None:
        """Accept a registration: from now on this person is a guardian of the child."""

    def refuse_contact(self, who: SignedIn, place: Place, registration_id: UUID, reason: str, now: datetime) -> None:
        """Refuse a registration."""


class GuardianDesk(CodeDesk, RegistrationDesk, Protocol):
    """Both."""
