"""The part of the sample desk that answers the pages of transfers that go back to their payer."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.returning_views import AskBackPage, GoingBackPage, GoingBackRow, TypedReturn

REFUND_ID = uuid.UUID(int=81)
WAITING = GoingBackRow(
    str(uuid.UUID(int=1301)), date(2025, 10, 2), Money(777_000), "CHUYEN NHAM TK0071000123456 NGUYEN VAN HOA", "…8901",
    "waiting", 4,
)  # fmt: skip
ROWS = (
    WAITING,
    GoingBackRow("2", date(2025, 9, 30), Money(1_250_000_000), "", "…8901", "asked", 6, str(REFUND_ID)),
    GoingBackRow("3", date(2025, 9, 1), Money(15_000), "nop tien", "…0101", "refunding", 35, str(REFUND_ID)),
    GoingBackRow("4", date(2025, 8, 31), Money(15_000), "nop tien", "…0101", "refunded", 36, str(REFUND_ID)),
)
GOING_BACK = GoingBackPage(ROWS, 3, Money(777_000))
ASK_BACK = AskBackPage(
    WAITING, "…3456 · NGUYEN VAN HOA", "", ("Nguyễn Thị Minh Ánh", "Điểu Bảo"), (("970436", "Vietcombank"),)
)


class SampleReturning:
    """Frozen transfers on their way back; remembers what was done."""

    done: list[tuple[str, str]]

    def going_back(self, who: SignedIn, place: Place, now: datetime) -> GoingBackPage:
        del who, place, now
        return GOING_BACK

    def ask_back_page(self, who: SignedIn, place: Place, transfer_id: uuid.UUID, now: datetime) -> AskBackPage:
        del who, place, transfer_id, now
        return ASK_BACK

    def ask_back(
        self, who: SignedIn, place: Place, transfer_id: uuid.UUID, typed: TypedReturn, now: datetime
    ) -> uuid.UUID:
        del place, transfer_id, typed, now
        self.done.append(("ask back", who.login))
        return REFUND_ID

    def bring_back(  # noqa: PLR0913, PLR0917  which line, by which money
        self, who: SignedIn, place: Place, refund_id: uuid.UUID, line_id: uuid.UUID, came: str, now: datetime
    ) -> None:
        del place, refund_id, line_id, came, now
        self.done.append(("bring back", who.login))
