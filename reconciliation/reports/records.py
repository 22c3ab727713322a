"""What a reconciliation report is made of: frozen rows, their totals and the checks between them (pure).

The account figures come from the ledger, the rows from transfers, receipts and bills. They are added up apart and
compared: a report that does not agree with itself says so in its first sheet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise

from billing.money import ZERO, Money, total

STATES: Mapping[str, str] = {
    "new": "Mới nhận",
    "held": "Tạm giữ",
    "waiting": "Chờ xử lý",
    "matched": "Đã khớp",
    "refunding": "Đang hoàn trả",
    "refunded": "Đã hoàn trả",
    "reversed": "Ngân hàng đã thu hồi",
    "ignored_out": "Tiền ra",
    "duplicate": "Trùng",
    "quarantined": "Cách ly",
}
NOT_COUNTED = ("duplicate", "quarantined")  # no movement on the account, so no part of any total
GOING_BACK = ("refunding", "refunded")  # what was promised to a payer is no longer in suspense
MISSING_SHOWN = 50  # numbers of a gap that are written out; the count is always whole


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """One account, from the ledger: movements of the period's transfers, and balances as of the report's moment.

    Balances are net movements since the account was opened with us. ``bank_balance`` is what the bank tells, or
    ``None`` where it has not told anything.
    """

    account: str
    holder: str
    bank_in: Money
    bank_out: Money
    allocated: Money
    credit: Money
    waiting: Money
    refunded: Money
    suspense_balance: Money
    book_balance: Money
    bank_balance: Money | None = None
    own: Money = ZERO

    @property
    def difference(self) -> Money | None:
        """Bank less book; ``None`` when the bank's balance is not known."""
        return None if self.bank_balance is None else self.bank_balance - self.book_balance


@dataclass(frozen=True, slots=True)
class TransferLine:
    """One transfer of the period; money that came in is allocated + credit + waiting + refunded + own + excluded.

    ``own`` came from another account of the school; ``evidence`` says of money out what it was for.
    """

    at: datetime
    account: str
    bank_reference: str
    incoming: bool
    amount: Money
    memo: str
    state: str
    allocated: Money = ZERO
    credit: Money = ZERO
    waiting: Money = ZERO
    refunded: Money = ZERO
    pupil_codes: tuple[str, ...] = ()
    bills: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()
    evidence: str = ""
    late: bool = False
    own: Money = ZERO

    @property
    def excluded(self) -> Money:
        """What of the amount is in no total: all of it in some states, and of money out that is held."""
        held_out = self.state == "held" and not self.incoming
        return self.amount if held_out or self.state in NOT_COUNTED else ZERO

    @property
    def counted(self) -> Money:
        """What of the amount moved on the account."""
        return self.amount - self.excluded


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """One transfer that waits for a person at the report's moment, whatever period it came in."""

    at: datetime
    account: str
    bank_reference: str
    amount: Money
    memo: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One receipt number; a void one keeps its number and its reason."""

    book: str
    number: int
    issued_on: date
    pupil_code: str
    pupil_name: str
    amount: Money
    bank_reference: str
    void_reason: str = ""
    is_void: bool = False


@dataclass(frozen=True, slots=True)
class UnpaidLine:
    """One item of one pupil that is not fully paid; ``due`` is the family's part and nothing says how it arose."""

    class_name: str
    pupil_code: str
    pupil_name: str
    bill: str
    item: str
    period: str
    due_on: date
    due: Money
    paid: Money

    @property
    def remaining(self) -> Money:
        """What has not been paid yet."""
        return self.due - self.paid


@dataclass(frozen=True, slots=True)
class ReconciliationReport:
    """Everything the workbook shows, of one school and one period, as recorded up to one moment.

    ``as_of`` is aware; ``recorded_seq`` is the last ledger entry counted. ``receivable_balance`` is what the ledger
    says families have not paid yet. ``last_before`` gives for each receipt book the last number used before the
    period (0 or absent for a new book). ``out_by_kind``: what money out of the period was for, in words, with count
    and sum. ``unexplained``: all money out without a purpose, less approved payouts to the insurer to which the bank's
    transfer is not tied yet; ``unexplained_balance``: what the ledger holds so.
    """

    school_name: str
    school_code: str
    period_from: date
    period_to: date
    as_of: datetime
    recorded_seq: int
    accounts: Sequence[AccountFigures]
    transfers: Sequence[TransferLine]
    waiting: Sequence[WaitingLine]
    receipts: Sequence[ReceiptLine]
    unpaid: Sequence[UnpaidLine]
    receivable_balance: Money
    last_before: Mapping[str, int] = field(default_factory=dict)
    out_by_kind: Sequence[tuple[str, int, Money]] = ()
    unexplained: Money = ZERO
    unexplained_balance: Money = ZERO

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is None:
            raise ValueError("as_of must say its time zone")


@dataclass(frozen=True, slots=True)
class BookFigures:
    """One receipt book in the period: its numbers, its voids, and the numbers that are missing or doubled."""

    book: str
    first: int
    last: int
    count: int
    voids: int
    live: Money
    missing: tuple[int, ...]
    doubled: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Two figures that must be equal, from two ways of adding up."""

    name: str
    left: Money
    right: Money

    @property
    def difference(self) -> Money:
        """Left less right; 0 đ when the report agrees with itself."""
        return self.left - self.right


def books(receipts: Iterable[ReceiptLine], last_before: Mapping[str, int]) -> list[BookFigures]:
    """Return each book's figures, by book name; a gap right after the last number before the period counts too."""
    by_book: dict[str, list[ReceiptLine]] = defaultdict(list)
    for receipt in receipts:
        by_book[receipt.book].append(receipt)
    return [_book(name, rows, last_before.get(name, 0)) for name, rows in sorted(by_book.items())]


def _book(name: str, rows: Sequence[ReceiptLine], before: int) -> BookFigures:
    numbers = sorted(row.number for row in rows)
    present = set(numbers)
    return BookFigures(
        book=name,
        first=numbers[0],
        last=numbers[-1],
        count=len(numbers),
        voids=sum(row.is_void for row in rows),
        live=total(row.amount for row in rows if not row.is_void),
        missing=tuple(number for number in range(before + 1, numbers[-1]) if number not in present),
        doubled=tuple(sorted({a for a, b in pairwise(numbers) if a == b})),
    )


def by_state(transfers: Iterable[TransferLine]) -> list[tuple[str, int, Money]]:
    """Return (state, how many, together) in the order of ``STATES``; states that do not occur are left out."""
    found: dict[str, list[Money]] = defaultdict(list)
    for transfer in transfers:
        found[transfer.state].append(transfer.amount)
    return [(state, len(found[state]), total(found[state])) for state in STATES if state in found]


def by_class(unpaid: Iterable[UnpaidLine]) -> list[tuple[str, int, Money]]:
    """Return (class, number of pupils, not yet paid) in the order in which the classes first appear."""
    pupils: dict[str, set[str]] = defaultdict(set)
    remaining: dict[str, Money] = defaultdict(lambda: ZERO)
    for row in unpaid:
        pupils[row.class_name].add(row.pupil_code)
        remaining[row.class_name] += row.remaining
    return [(name, len(codes), remaining[name]) for name, codes in pupils.items()]


def checks(report: ReconciliationReport) -> list[Check]:
    """Return every comparison the report must stand: ledger against rows, and the whole against its parts."""
    accounts = report.accounts
    incoming = [row for row in report.transfers if row.incoming]
    bank_in = total(row.bank_in for row in accounts)
    parts = {
        "Đã phân bổ": ([row.allocated for row in accounts], [row.allocated for row in incoming]),
        "Tiền nộp thừa": ([row.credit for row in accounts], [row.credit for row in incoming]),
        "Chờ xử lý": ([row.waiting for row in accounts], [row.waiting for row in incoming]),
        "Hoàn trả": ([row.refunded for row in accounts], [row.refunded for row in incoming]),
        "Chuyển nội bộ": ([row.own for row in accounts], [row.own for row in incoming]),
    }
    figures = {
        "Tiền vào": ([row.bank_in for row in accounts], [row.counted for row in incoming]),
        "Tiền ra": (
            [row.bank_out for row in accounts],
            [row.counted for row in report.transfers if not row.incoming],
        ),
        **parts,
    }
    split = total(total(booked) for booked, _ in parts.values())
    suspense = total(row.suspense_balance for row in accounts)
    unpaid = total(row.remaining for row in report.unpaid)
    return [
        *(
            Check(f"{name}: sổ cái và từng giao dịch", total(booked), total(rows))
            for name, (booked, rows) in figures.items()
        ),
        Check("Tiền vào = phân bổ + nộp thừa + chờ xử lý + hoàn trả + nội bộ", bank_in, split),
        Check("Tiền đang chờ: sổ cái và trang Chờ xử lý", suspense, total(row.amount for row in report.waiting)),
        Check("Tiền ra chưa rõ: sổ cái (1388) và từng giao dịch", report.unexplained_balance, report.unexplained),
        Check("Chưa nộp: sổ cái và trang Chưa nộp", report.receivable_balance, unpaid),
        *_bank_balances(accounts),
    ]


def _bank_balances(accounts: Iterable[AccountFigures]) -> list[Check]:
    """Compare bank and book of each account whose bank balance is known."""
    return [
        Check(f"Số dư ngân hàng và số dư sổ: {row.account}", row.bank_balance, row.book_balance)
        for row in accounts
        if row.bank_balance is not None
    ]
