"""What the page of closing a month shows and takes (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from billing.money import Money
from service.access.roles import Place, SignedIn

# Each kind of unfinished thing: in Vietnamese, in English, and the page where it is done.
UNFINISHED: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "waiting": ("Tiền vào còn chờ xử lý", "Money in that waits", "/van-phong/cho-xu-ly"),
        "money_out": ("Tiền ra chưa rõ chi cho việc gì", "Money out without a purpose", "/van-phong/tien-ra"),
        "differences": (
            "Giao dịch lệch giữa báo có và sao kê",
            "Movements that differ between feeds and statements",
            "/van-phong/doi-chieu-nguon",
        ),
        "acts": ("Đề nghị về giao dịch chưa ai duyệt", "Acts about transfers to decide", "/van-phong/cho-xu-ly"),
        "refunds": ("Đề nghị hoàn tiền chưa quyết định", "Refunds without a decision", "/van-phong/hoan-tien"),
        "bank_reversals": ("Ghi ngân hàng thu hồi chưa quyết định", "Bank reversals to decide", "/van-phong/tien-ra"),
        "limits": ("Hạn mức phần thiếu chưa quyết định", "Limits of shortfalls to decide", "/van-phong/thieu-phi"),
        "shortfalls": ("Phần thiếu quốc tế chưa quyết định", "Shortfalls to decide", "/van-phong/thieu-phi"),
        "cash_reversals": ("Đề nghị đảo lần thu chưa quyết định", "Cash reversals to decide", "/van-phong/quy"),
        "uncounted": ("Ngày thu chi tiền mặt chưa kiểm quỹ", "Days of cash without a count", "/van-phong/quy/kiem-quy"),
        "transit": (
            "Tiền mặt đã nộp mà ngân hàng chưa báo có",
            "Cash brought to the bank, not yet there",
            "/van-phong/quy/nop-ngan-hang",
        ),
        "fetched": (
            "Tiền mặt đã rút về quỹ mà chưa gắn với tiền ra",
            "Cash fetched from the bank, not tied to its money out",
            "/van-phong/quy/rut-tien",
        ),
        "meals": (
            "Lớp bán trú chưa chốt điểm danh tháng",
            "Classes whose meals are not closed",
            "/van-phong/diem-danh",
        ),
        "rounds": ("Đợt thu đã lập mà chưa phát hành", "Rounds begun and not issued", "/van-phong/dot-thu"),
        "income": ("Tháng chưa kết chuyển doanh thu", "Months of income to release", "/van-phong/hop-dong/doanh-thu"),
    }
)


@dataclass(frozen=True, slots=True)
class OpenThing:
    """One line of the checklist: what, where it is done, how many, and their sum where they are money."""

    vi: str
    en: str
    path: str
    count: int
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class ComparedThing:
    """One kind of the checklist as it was when closing was asked and as it is now; ``worse``: more, or others, now."""

    then: OpenThing
    now: OpenThing
    worse: bool


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """A request that waits for the other person; ``compared``: what was unfinished then, and what is now."""

    ask_id: str
    kind: str
    month: date
    reason: str
    asked_by: str
    asked_at: datetime
    compared: tuple[ComparedThing, ...]
    mine: bool

    @property
    def worse(self) -> bool:
        """Tell whether something is unfinished now that was not when it was asked: then it is not closed."""
        return any(each.worse for each in self.compared)


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """A closed month: who, when, why in spite of what was unfinished, what moved; and if it was opened again, that."""

    month: date
    asked_by: str
    closed_by: str
    closed_at: datetime
    reason: str
    left_open: int
    moved: Money
    late: int = 0
    opened_by: str = ""
    opened_at: datetime | None = None
    opened_why: str = ""


@dataclass(frozen=True, slots=True)
class ClosingPage:
    """The month whose turn it is with its checklist, the request that waits, and the months that were closed.

    ``opens``: the first open day; ``last``: the month that may be opened again.
    """

    month: date | None
    things: tuple[OpenThing, ...]
    mark: str
    waiting: AskedPeriod | None
    rows: tuple[ClosedRow, ...]
    opens: date | None = None
    last: date | None = None


class ClosingDesk(Protocol):
    """What the page asks of whoever answers it."""

    def closing(self, who: SignedIn, place: Place, now: datetime) -> ClosingPage:
        """Return the month to close, what waits, and what is closed."""

    def ask_close(  # noqa: PLR0913, PLR0917  which month, having seen what
        self, who: SignedIn, place: Place, month: date, mark: str, reason: str, now: datetime
    ) -> None:
        """Ask for a month to be closed."""

    def ask_reopen(self, who: SignedIn, place: Place, month: date, reason: str, now: datetime) -> None:
        """Ask for the last closed month to be opened again."""

    def agree_period(self, who: SignedIn, place: Place, ask_id: UUID, now: datetime) -> str:
        """Agree, and return what was done: *close* or *reopen*."""

    def refuse_period(self, who: SignedIn, place: Place, ask_id: UUID, reason: str, now: datetime) -> None:
        """Say no, or take one's own request back."""
