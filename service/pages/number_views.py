"""What the page of children's own account numbers shows, and what is typed into it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn


@dataclass(frozen=True, slots=True)
class NumberRow:
    """Who has, or had, a number from when until when; ``key`` stands in the form that takes it back."""

    key: int
    number: str
    pupil: str
    class_name: str
    since: datetime | None
    until: datetime | None
    why: str
    left: bool


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list from the bank that waits for another person; ``own``: the viewer entered it."""

    list_id: str
    count: int
    first: str
    last: str
    note: str
    by: str
    at: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One account's pool: how many are free, given, and cooling after a release; who waits for one."""

    account_id: str
    name: str
    free: int
    given: int
    cooling: int
    waiting: tuple[str, ...]
    lists: tuple[ListRow, ...]
    now: tuple[NumberRow, ...]
    past: tuple[NumberRow, ...]


@dataclass(frozen=True, slots=True)
class NumbersPage:
    """All accounts of a school with their pools, and the classes to which numbers can be given."""

    pools: tuple[PoolRow, ...]
    classes: tuple[tuple[str, str], ...]


class NumberDesk(Protocol):
    """Children's own account numbers: the pool, who has which, and what was."""

    def numbers(self, who: SignedIn, place: Place, now: datetime) -> NumbersPage:
        """Return the pools of the school."""

    def enter_numbers(self, who: SignedIn, place: Place, account: str, pasted: str, note: str, now: datetime) -> None:  # noqa: PLR0913, PLR0917  which account, what, by which paper
        """Enter a list from the bank; raises ``BadRows`` with every wrong line."""

    def decide_numbers(  # noqa: PLR0913  which list, how and why
        self, who: SignedIn, place: Place, list_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree to a list, or not; raises ``SamePerson`` or ``Conflict``."""

    def assign_numbers(self, who: SignedIn, place: Place, account: str, class_id: str, now: datetime) -> int:
        """Give every child of a class without a number one, and return how many got one."""

    def release_number(self, who: SignedIn, place: Place, number_id: int, reason: str, now: datetime) -> None:
        """Take a number from its child."""
