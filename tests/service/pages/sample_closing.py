"""The part of the sample desk that answers the page of closing a month."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.closing_views import UNFINISHED, AskedPeriod, ClosedRow, ClosingPage, ComparedThing, OpenThing

ASK_ID = uuid.UUID(int=1901)
AT = datetime(2025, 11, 4, 2, 0, tzinfo=UTC)
HEAD, KEEPER = "Nguyễn Hoàng Thị Phương Khánh Minh Ánh", "Trần Thị Thu"
THINGS = tuple(OpenThing(*words, number + 1, Money(number * 1_234_567) if number % 2 else None)
               for number, words in enumerate(UNFINISHED.values()))  # fmt: skip
ROWS = (
    ClosedRow(date(2025, 9, 1), KEEPER, HEAD, AT, "Hai giao dịch chưa biết của em nào", 2, Money(512_340_000), late=3),
    ClosedRow(date(2025, 8, 1), KEEPER, HEAD, AT, "", 0, Money(12_000), opened_by=HEAD, opened_at=AT,
              opened_why="Ghi thiếu một lần thu bằng biên lai giấy"),
)  # fmt: skip
COMPARED = (
    ComparedThing(THINGS[0], replace(THINGS[0], count=0), worse=False),
    ComparedThing(THINGS[1], THINGS[1], worse=False),
)
ASKED = AskedPeriod(str(ASK_ID), "close", date(2025, 10, 1), "Ngân hàng chưa trả lời", KEEPER, AT, COMPARED, mine=False)


class SampleClosing:
    """Answers from the records above, and remembers what was done."""

    done: list[tuple[str, str]]

    def closing(self, who: SignedIn, place: Place, now: datetime) -> ClosingPage:
        del who, place, now
        return ClosingPage(date(2025, 10, 1), THINGS, "ab12", ASKED, ROWS, date(2025, 10, 1), date(2025, 9, 1))

    def ask_close(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, month: date, mark: str, reason: str, now: datetime
    ) -> None:
        del who, place, now
        self.done.append(("ask close", f"{month} {mark} {reason}"))

    def ask_reopen(self, who: SignedIn, place: Place, month: date, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("ask reopen", f"{month} {reason}"))

    def agree_period(self, who: SignedIn, place: Place, ask_id: uuid.UUID, now: datetime) -> str:
        del who, place, now
        self.done.append(("agree period", str(ask_id)))
        return "close"

    def refuse_period(self, who: SignedIn, place: Place, ask_id: uuid.UUID, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("refuse period", f"{ask_id} {reason}"))
