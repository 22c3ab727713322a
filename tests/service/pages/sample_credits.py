"""The part of the sample desk that answers the pages of credit and refunds."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from billing.money import ZERO, Money
from service.access.roles import Place, SignedIn
from service.pages.credit_views import (
    CreditList,
    CreditMove,
    CreditQuery,
    CreditRow,
    KeptItem,
    PupilCredit,
    RefundLineRow,
    RefundPage,
    RefundRow,
    RefundsPage,
    Sum,
    TypedRefund,
    TypedStep,
    TypedUse,
)
from service.pages.views import Download
from tests.service.pages.sample_refund_bulk import SampleRefundBulk
from tests.service.pages.sample_returning import SampleReturning

REFUND_ID = uuid.UUID(int=81)
LINE_ID = uuid.UUID(int=82)
_PUPIL = str(uuid.UUID(int=83))
_CLASSES, _ITEMS = (("1", "3A1 (2025-2026)"),), (("TIENAN", "Tiền ăn bán trú"), ("-", "Nộp thừa (không theo khoản)"))
ROWS = (
    CreditRow(_PUPIL, "Nguyễn Thị Minh Ánh", "7500000001", "3A1", "Tiền ăn bán trú", Money(64_000)),
    CreditRow(
        _PUPIL, "Nguyễn Thị Minh Ánh", "7500000001", "3A1", "Nộp thừa (không theo khoản)", Money(50_000), Money(1)
    ),
)
KEPT = CreditList(
    query=CreditQuery(), rows=ROWS, total=212, pages=3, found=Money(114_000),
    by_item=(Sum("Tiền ăn", Money(64_000), 1),), by_class=(Sum("3A1", Money(114_000), 1),), kept=Money(114_000),
    book=Money(114_000), classes=_CLASSES, items=_ITEMS,
)  # fmt: skip
PUPIL = PupilCredit(
    pupil_id=_PUPIL,
    pupil="Nguyễn Thị Minh Ánh",
    code="7500000001",
    class_name="3A1",
    kept=(KeptItem("TIENAN", "Tiền ăn bán trú", "giữ cho đúng khoản này", Money(64_000), Money(64_000)),),
    moves=(
        CreditMove(date(2025, 10, 3), "Ghi giảm thông báo đã nộp", "Tiền ăn bán trú", Money(64_000), "TB2510-000001"),
    ),
    due=Money(500_000),
    banks=(("970436", "Vietcombank"),),
    payees=((f"payer:{uuid.UUID(int=84)}", "Tài khoản đã nộp …3456 · NGUYEN VAN HOA"),),
)
ROW = RefundRow(str(REFUND_ID), "Hạ mức thu", "Bán trú", date(2025, 10, 3), "Thu", "approved", 2, Money(50_000), 2)
_LINE = RefundLineRow(
    str(LINE_ID), "Nguyễn Thị Minh Ánh", "3A1", "Bán trú", Money(25_000), "cash", "Nguyễn Văn Hòa", "", "approved"
)
_BANK = RefundLineRow(
    str(LINE_ID), "Điểu Bảo", "3A1", "Bán trú", Money(25_000), "bank", "Điểu Hùng", "Vietcombank …3456", "sent",
    date(2025, 10, 4), source="văn phòng nhập", proof="Đơn ngày 02/10/2025", code="HT2345678AB",
    tied=date(2025, 10, 4), brought=((str(uuid.UUID(int=1301)), "05/10/2025 · TRA LAI HT2345678AB"),),
)  # fmt: skip
REFUND = RefundPage(ROW, (_LINE, _BANK), own=False, decided_by="Lê Văn Duyệt", decided_why="", today=date(2025, 10, 6))
REFUNDS = RefundsPage((ROW,), _ITEMS, _CLASSES, (("1", "Tháng 10/2025"),), Money(50_000))
_SHEET = Download(b"PK", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Tiền tồn.xlsx")


class SampleCredits(SampleReturning, SampleRefundBulk):
    """Frozen leftovers and refunds of a school; remembers what was done."""

    done: list[tuple[str, str]]

    def _did(self, what: str, who: SignedIn) -> None:
        self.done.append((what, who.login))

    def credit_list(self, who: SignedIn, place: Place, query: CreditQuery, now: datetime) -> CreditList:
        del who, place, query, now
        return KEPT

    def credit_workbook(self, who: SignedIn, place: Place, now: datetime) -> Download:
        del who, place, now
        return _SHEET

    def pupil_credit(self, who: SignedIn, place: Place, pupil_id: uuid.UUID, now: datetime) -> PupilCredit:
        del who, place, pupil_id, now
        return PUPIL

    def use_credit(self, who: SignedIn, place: Place, typed: TypedUse, now: datetime) -> str:
        del place, typed, now
        self._did("use credit", who)
        return str(ZERO)

    def ask_refund(self, who: SignedIn, place: Place, typed: TypedRefund, now: datetime) -> uuid.UUID:
        del place, typed, now
        self._did("ask refund", who)
        return REFUND_ID

    def refunds(self, who: SignedIn, place: Place, now: datetime) -> RefundsPage:
        del who, place, now
        return REFUNDS

    def refund(self, who: SignedIn, place: Place, refund_id: uuid.UUID, now: datetime) -> RefundPage:
        del who, place, refund_id, now
        return REFUND

    def decide_refund(  # noqa: PLR0913  as the desk promises
        self, who: SignedIn, place: Place, refund_id: uuid.UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        del place, refund_id, reason, now
        self._did(f"refund {approved}", who)

    def step_refund(  # noqa: PLR0913, PLR0917  as the desk promises
        self, who: SignedIn, place: Place, refund_id: uuid.UUID, line_id: uuid.UUID, step: TypedStep, now: datetime
    ) -> None:
        del place, refund_id, line_id, now
        self._did(f"refund step {step.step}", who)

    def refund_workbook(self, who: SignedIn, place: Place, refund_id: uuid.UUID, now: datetime) -> Download:
        del who, place, refund_id, now
        return _SHEET
