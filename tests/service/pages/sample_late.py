"""The part of the sample desk that answers the page of who came after a round."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.late_views import LateItemRow, LatePage, LatePupilRow, TypedLate

_ITEMS = (
    LateItemRow("HOCPHAM", "Học phẩm và đồ dùng học tập dùng chung cả năm học", Money(150_000)),
    LateItemRow("PHUHIEU", "Phù hiệu, thẻ học sinh", Money(40_000), "leave", "Đã nộp ở trường cũ"),
)


class SampleLate:
    """Answers from the records above, and remembers what was chosen."""

    done: list[tuple[str, str]]

    def late_page(self, who: SignedIn, place: Place, round_id: uuid.UUID) -> LatePage:
        del who, place
        child = LatePupilRow(str(uuid.UUID(int=7)), "Hồ Thị Đến Sau", "3A1", date(2025, 11, 3), _ITEMS)
        return LatePage(str(round_id), "Tháng 9/2025", (child,))

    def choose_late(self, who: SignedIn, place: Place, typed: TypedLate, now: datetime) -> None:
        del place, typed, now
        self.done.append(("choose late", who.login))
