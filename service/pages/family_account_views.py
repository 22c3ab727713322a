"""What a family's page of the account for refunds shows, and what is typed into it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.pages.guardian_views import ContactChoice
from service.pages.views import SchoolFace


@dataclass(frozen=True, slots=True)
class FullAccount:
    """What a guardian of the child sees: the account that counts now (masked), the banks, until when this is open.

    ``of_another``: another guardian of the child entered it; bank, digits and holder are hers and stay empty.
    """

    child_name: str
    bank: str
    masked: str
    holder: str
    since: datetime | None
    banks: tuple[tuple[str, str], ...]
    until: datetime
    of_another: bool = False


@dataclass(frozen=True, slots=True)
class FamilyAccountPage:
    """The family's page: full with a session of the child's guardian, else where a code can be sent."""

    token: str
    school: SchoolFace
    child_name: str
    choices: tuple[ContactChoice, ...]
    unreachable: bool
    signed_in: bool
    full: FullAccount | None = None


@dataclass(frozen=True, slots=True)
class TypedAccount:
    """An account as a guardian typed it."""

    bank: str
    number: str
    holder: str


@dataclass(frozen=True, slots=True)
class ShownBack:
    """What was typed, read and shown back before it is kept: the number in full and in groups of four."""

    bank: str
    bank_bin: str
    number: str
    holder: str

    @property
    def grouped(self) -> str:
        """The number in groups of four, as people compare it."""
        return " ".join(self.number[start : start + 4] for start in range(0, len(self.number), 4))


class FamilyAccountDesk(Protocol):
    """A family's own page of the account for refunds, behind a link and a one-time code."""

    def family_account(
        self, link_digest: bytes, token: str, session_digest: bytes | None, now: datetime
    ) -> FamilyAccountPage | None:
        """Return the page, full with a session of this child's guardian."""

    def show_account_back(self, typed: TypedAccount) -> ShownBack:
        """Return what was typed as it would be kept; raises ``Refused``."""

    def keep_account(
        self, link_digest: bytes, session_digest: bytes, typed: TypedAccount, now: datetime
    ) -> bool | None:
        """Keep the account; false without a session of the child's guardian, nothing for an unknown link."""
