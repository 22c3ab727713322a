"""The part of the sample desk that answers the page of children's own account numbers."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from service.access.roles import Place, SignedIn
from service.pages.number_views import ListRow, NumberRow, NumbersPage, PoolRow

NUMBER_LIST_ID = uuid.UUID(int=1901)
_AT = datetime(2025, 10, 4, 3, tzinfo=UTC)
_LIST = ListRow(
    str(NUMBER_LIST_ID), 100, "96247ABC000001", "96247ABC000100", "Thư BIDV 12/2025", "Trần Thị Thu", _AT, own=False
)
_NOW = NumberRow(7, "96247ABC000001", "Nguyễn Thị Minh Ánh", "3A1", _AT, None, "", left=True)
_PAST = NumberRow(8, "96247ABC000002", "Điểu Bảo", "3A1", _AT, _AT, "Học sinh đã rời trường", left=True)
NUMBERS = NumbersPage(
    (
        PoolRow(
            str(uuid.UUID(int=1)), "BIDV …0101", 12, 212, 1, ("Điểu Bảo",),
            (_LIST,), (_NOW,), (_PAST,),
        ),
    ),
    (("1", "3A1 (2025-2026)"),),
)  # fmt: skip


class SampleNumbers:
    """A frozen pool; remembers what was done."""

    done: list[tuple[str, str]]

    def numbers(self, who: SignedIn, place: Place, now: datetime) -> NumbersPage:
        del who, place, now
        return NUMBERS

    def enter_numbers(  # noqa: PLR0913, PLR0917  which account, what, by which paper
        self, who: SignedIn, place: Place, account: str, pasted: str, note: str, now: datetime
    ) -> None:
        del place, account, pasted, note, now
        self.done.append(("enter numbers", who.login))

    def decide_numbers(  # noqa: PLR0913  which list, how and why
        self, who: SignedIn, place: Place, list_id: uuid.UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        del place, list_id, reason, now, approved
        self.done.append(("decide numbers", who.login))

    def assign_numbers(self, who: SignedIn, place: Place, account: str, class_id: str, now: datetime) -> int:
        del place, account, class_id, now
        self.done.append(("assign numbers", who.login))
        return 1

    def release_number(self, who: SignedIn, place: Place, number_id: int, reason: str, now: datetime) -> None:
        del place, number_id, reason, now
        self.done.append(("release number", who.login))
