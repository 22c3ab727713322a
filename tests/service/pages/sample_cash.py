"""The part of the sample desk that answers the cashier's pages."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.cash_views import (
    CashBill,
    CashHome,
    CashPupil,
    CashTransfer,
    FoundPupil,
    LeafRow,
    Looked,
    PaperBookPage,
    PaperBookRow,
    ReversalRow,
    Sheet,
    TakingPage,
    TakingRow,
    TypedCash,
)
from service.pages.views import Download
from tests.service.pages.sample_rounds import PUPIL_ID

TAKING_ID, REVERSAL_ID, BOOK_ID = uuid.UUID(int=1701), uuid.UUID(int=1702), uuid.UUID(int=1703)
TODAY = date(2025, 10, 20)
AT = datetime(2025, 10, 20, 2, 0, tzinfo=UTC)
NAME = "Nguyễn Hoàng Thị Phương Khánh Minh Ánh"
HITS = (
    FoundPupil(str(PUPIL_ID), NAME, "1A", Money(1_263_600)),
    FoundPupil(str(uuid.UUID(int=1710)), "Điểu Ánh", "(chưa xếp)", Money(0)),
)
ROWS = (
    TakingRow(str(TAKING_ID), TODAY, NAME, Money(631_800), "2025-2026-0000123", "live", "Lê Thị Quỹ"),
    TakingRow(str(uuid.UUID(int=1711)), TODAY, "Điểu Ánh", Money(50_000), "AB/25 · 104", "asked", "Lê Thị Quỹ"),
    TakingRow(str(uuid.UUID(int=1712)), TODAY, NAME, Money(1_000), "2025-2026-0000121", "reversed", "Lê Thị Quỹ"),
)
BILLS = (
    CashBill(str(uuid.UUID(int=1720)), "TB2509-000001", "tháng 9/2025", date(2025, 9, 30), Money(631_800),
             chosen=True, part=Money(631_800)),
    CashBill(str(uuid.UUID(int=1721)), "TB2510-000001", "tháng 10/2025", date(2025, 10, 31), Money(631_800),
             chosen=True, part=Money(368_200)),
)  # fmt: skip
MEMO = "MBVCB.8812345678.FW2345678AB.CT tu 0071000123456 NGUYEN VAN HOA toi 1039998901 TRUONG TH TAN LAP"
TRANSFERS = (
    CashTransfer(date(2025, 10, 18), Money(631_800), MEMO, "reference", waits=True),
    CashTransfer(date(2025, 10, 15), Money(100_000), "", "matched", waits=False),
)
REVERSALS = (
    ReversalRow(str(REVERSAL_ID), "Ghi nhầm em cùng tên ở lớp 1B", "Lê Thị Quỹ", AT, "waiting", "", ""),
    ReversalRow(str(uuid.UUID(int=1730)), "Nhầm", "Lê Thị Quỹ", AT, "refused", "Trần Thị Thu", "Số tiền đúng"),
)
BOOK = PaperBookRow(str(BOOK_ID), "AB/25", 101, 150, 2, ("101", "103–110"))
LEAVES = (
    LeafRow(102, "", "", None, None, "Viết hỏng, gạch chéo cả hai liên"),
    LeafRow(111, str(TAKING_ID), NAME, Money(90_000), date(2025, 10, 17), ""),
)


class SampleCash:
    """Answers from the records above, and remembers what was done."""

    done: list[tuple[str, str]]

    def cash_home(self, who: SignedIn, place: Place, words: str, number: int, now: datetime) -> CashHome:
        del who, place, now
        return CashHome(words, HITS if words else (), Money(12_345_600), Money(681_800), ROWS, 1, Sheet(number, 3))

    def cash_pupil(self, who: SignedIn, place: Place, typed: TypedCash, now: datetime) -> CashPupil:
        del who, place, now
        looked = Looked(Money(1_000_000), Money(0), Money(263_600), "ab12", str(uuid.UUID(int=5)))
        book = (str(BOOK_ID), "AB/25") if typed.book else None
        return CashPupil(
            str(PUPIL_ID), NAME, "1A", BILLS, Money(1_263_600), TRANSFERS, looked if typed.amount else None, book, TODAY
        )

    def take_cash(self, who: SignedIn, place: Place, typed: TypedCash, now: datetime) -> uuid.UUID:
        del who, place, now
        self.done.append(("take cash", f"{typed.pupil_id} {typed.amount}"))
        return TAKING_ID

    def cash_taking(self, who: SignedIn, place: Place, taking_id: uuid.UUID, now: datetime) -> TakingPage:
        del who, place, taking_id, now
        parts = (("TB2509-000001 · tháng 9/2025", Money(581_800)),)
        return TakingPage(
            ROWS[0], str(PUPIL_ID), "Nguyễn Văn Hòa", "Lê Thị Quỹ", AT, parts, Money(50_000), printed=True, transfers=1,
            reversals=REVERSALS, mine=False,
        )  # fmt: skip

    def cash_receipt(self, who: SignedIn, place: Place, taking_id: uuid.UUID, now: datetime) -> Download:
        del who, place, taking_id, now
        return Download(b"%PDF-1.4", "application/pdf", "Biên lai.pdf")

    def ask_cash_reversal(self, who: SignedIn, place: Place, taking_id: uuid.UUID, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("ask reversal", f"{taking_id} {reason}"))

    def decide_cash_reversal(  # noqa: PLR0913  as the desk has it
        self, who: SignedIn, place: Place, reversal_id: uuid.UUID, reason: str, now: datetime, *, approved: bool
    ) -> uuid.UUID:
        del who, place, now
        self.done.append(("decide reversal", f"{reversal_id} {approved} {reason}"))
        return TAKING_ID

    def paper_books(self, who: SignedIn, place: Place) -> tuple[PaperBookRow, ...]:
        del who, place
        return (BOOK, PaperBookRow(str(uuid.UUID(int=1740)), "AB/26", 151, 200, 0, ()))

    def open_paper_book(self, who: SignedIn, place: Place, typed: tuple[str, str, str], now: datetime) -> uuid.UUID:
        del who, place, now
        self.done.append(("open book", " ".join(typed)))
        return BOOK_ID

    def paper_book(self, who: SignedIn, place: Place, book_id: uuid.UUID, words: str) -> PaperBookPage:
        del who, place, book_id
        return PaperBookPage(BOOK, LEAVES, words, HITS if words else ())

    def spoil_leaf(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, book_id: uuid.UUID, number: str, reason: str, now: datetime
    ) -> None:
        del who, place, now
        self.done.append(("spoil", f"{book_id} {number} {reason}"))
