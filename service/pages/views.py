"""What a page shows (pure): frozen records, made by a desk, read by a template."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from billing.money import ZERO, Money
from service.pages.card_views import CardsWaiting


class BillState(StrEnum):
    """What a family sees of a payment request."""

    WAITING = "waiting"  # chờ nộp
    PART_PAID = "part_paid"  # đã nhận một phần
    RECEIVED = "received"  # đã nhận tiền
    RECEIPTED = "receipted"  # đã có biên lai
    OFFSET = "offset"  # đã trừ đủ từ tiền tồn
    COVERED = "covered"  # không phải nộp
    VOID = "void"  # thông báo đã thu hồi


# States in which more money is awaited, and those that may still change by themselves.
PAYABLE = frozenset({BillState.WAITING, BillState.PART_PAID})
CHANGING = frozenset({BillState.WAITING, BillState.PART_PAID, BillState.RECEIVED})


@dataclass(frozen=True, slots=True)
class SchoolFace:
    """How a school stands before a family; an empty text is left out."""

    name: str
    phone: str = ""
    address: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One item in the plain view: its name and what the family pays. No class, share or legal basis."""

    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PaymentPanel:
    """How to pay the rest: beneficiary as the bank's app will show it, memo, and the QR as SVG text.

    ``account`` is in full, it is the school's own; empty while the bank has given the child no number of its own where
    only these tell whose money it is. ``qr_svg`` is empty then, and where the account takes no VietQR.
    """

    payee: str
    bank: str
    account: str
    memo: str
    amount: Money
    qr_svg: str


@dataclass(frozen=True, slots=True)
class Instalment:
    """Where a family stands in the instalments: up to which of how many is asked for now, and what comes later.

    ``number`` is 0 when bills with different instalments stand together.
    """

    number: int
    parts: int
    later: Money


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """A live receipt of this bill: number in its book, sum and school day."""

    number: str
    amount: Money
    issued_on: date


@dataclass(frozen=True, slots=True)
class MoreTime:
    """Until when a family has more time, perhaps little by little: (by which day, how much)."""

    until: date
    parts: tuple[tuple[date, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class BillPage:
    """Everything on a family's page, in the plain view.

    ``instant`` says whether the account reports payments by itself; if not, the school updates the page and
    nothing pretends to wait. ``surplus`` is money above what was due; ``paid_twice`` marks a second full payment.
    ``leftover`` is what of the child's own credit was set against it; ``written_off`` is no longer asked for;
    ``grace`` gives more time.
    ``choices``: something voluntary is open or registered; what, is shown after a one-time code only.
    ``card``: the sum asked for may be paid by card.
    ``checking`` is money that names this request, does not cover the rest for sure, and is not settled yet.
    """

    token: str
    state: BillState
    school: SchoolFace
    child_name: str
    title: str
    lines: tuple[Line, ...]
    due: Money
    received: Money
    due_on: date | None
    instant: bool
    payment: PaymentPanel | None = None
    receipts: tuple[ReceiptLine, ...] = ()
    surplus: Money = ZERO
    paid_twice: bool = False
    checking: Money = ZERO
    instalment: Instalment | None = None
    leftover: Money = ZERO
    choices: bool = False
    written_off: Money = ZERO
    grace: MoreTime | None = None
    card: bool = False

    @property
    def rest(self) -> Money:
        """What is still to be paid, never below zero."""
        return max(self.due - self.leftover - self.received, ZERO)

    @property
    def asked(self) -> Money:
        """What of the rest is to be paid now; instalments leave some of it for later."""
        return self.rest - self.instalment.later if self.instalment else self.rest

    @property
    def version(self) -> str:
        """A short text that changes whenever the page would look different; the browser compares it."""
        return page_version(self.state, self.received + self.leftover, len(self.receipts), self.surplus, self.checking)


@dataclass(frozen=True, slots=True)
class BillStatus:
    """The little that is asked again and again while a family waits."""

    state: BillState
    received: Money
    receipts: int
    surplus: Money
    instant: bool
    checking: Money = ZERO
    leftover: Money = ZERO

    @property
    def version(self) -> str:
        """Same text as ``BillPage.version``."""
        return page_version(self.state, self.received + self.leftover, self.receipts, self.surplus, self.checking)


def page_version(state: BillState, received: Money, receipts: int, surplus: Money, checking: Money) -> str:
    """Return the text that says what a family sees now."""
    return f"{state.value}-{received.dong}-{receipts}-{surplus.dong}-{checking.dong}"


@dataclass(frozen=True, slots=True)
class Download:
    """A file handed out: its bytes, type, and a name made by us."""

    content: bytes
    media_type: str
    file_name: str


@dataclass(frozen=True, slots=True)
class OfficeHome:
    """The office's three numbers. The difference is bank minus book and must read 0.

    ``unread_messages``: what the bank sent and could not be read or was put aside; such money is in no other number.
    ``unsure_messages``: what was sent to families and may not have arrived, and was told in no other way. ``cards``:
    what of cards waits for a person.
    """

    received_today: Money
    received_today_count: int
    waiting_count: int
    waiting_amount: Money
    waiting_oldest: datetime | None
    bank_balance: Money
    book_balance: Money
    open_bills: int
    open_amount: Money
    rounds_to_approve: int
    unread_messages: int = 0
    unsure_messages: int = 0
    cards: CardsWaiting = field(default_factory=CardsWaiting)

    @property
    def difference(self) -> Money:
        """Bank minus book."""
        return self.bank_balance - self.book_balance


class OfficeBillState(StrEnum):
    """States of a bill in the office's list; also the filter."""

    OPEN = "open"
    PART_PAID = "part_paid"
    PAID = "paid"
    COVERED = "covered"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class BillRow:
    """One bill in the office's list."""

    number: str
    pupil: str
    pupil_code: str
    class_name: str
    round_title: str
    due: Money
    received: Money
    due_on: date | None
    state: OfficeBillState
    reference: str = ""
    link: str = ""
    more_time: date | None = None


@dataclass(frozen=True, slots=True)
class BillQuery:
    """What the office asks for: words (marks and đ optional), a state, a page from 1."""

    words: str = ""
    state: OfficeBillState | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class BillList:
    """One page of the office's list."""

    query: BillQuery
    rows: tuple[BillRow, ...]
    total: int
    page_size: int
    due: Money
    received: Money

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(1, -(-self.total // self.page_size))


class RoundState(StrEnum):
    """Steps of a billing round (đợt thu)."""

    DRAFT = "draft"  # bản nháp
    PREVIEWED = "previewed"  # đã xem trước
    SUBMITTED = "submitted"  # chờ duyệt
    APPROVED = "approved"  # đã duyệt, đang phát hành
    ISSUED = "issued"  # đã phát hành
    LOCKED = "locked"  # đã khóa
    WITHDRAWN = "withdrawn"  # đã hủy


@dataclass(frozen=True, slots=True)
class RoundRow:
    """One billing round in the list."""

    round_id: str
    title: str
    state: RoundState
    bills: int
    amount: Money
    due_on: date | None
    maker: str


@dataclass(frozen=True, slots=True)
class RoundItem:
    """One item of a round over all pupils: how many units, gross, what others pay, what families pay."""

    name: str
    quantity: int
    gross: Money
    reduced: Money
    family: Money


@dataclass(frozen=True, slots=True)
class RoundPreview:
    """What a round will do, before anybody is billed.

    ``questions`` must be agreed to by the approver; ``problems`` are only shown. ``digest`` names what is shown.
    ``trouble`` says why an approved round could not be issued.
    """

    row: RoundRow
    items: tuple[RoundItem, ...]
    pupils: int
    covered: int
    problems: tuple[str, ...]
    questions: tuple[str, ...]
    digest: str
    approved_by: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class AuditTotal:
    """One line of the period's totals; ``count`` is left out where it means nothing."""

    label: str
    amount: Money
    count: int | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """An auditor's view of one period: both school days included."""

    first: date
    last: date
    totals: tuple[AuditTotal, ...]
    bank: Money
    book: Money
    waiting_count: int
    waiting_amount: Money
    receipt_numbers: tuple[tuple[str, str, str, int], ...]
    exceptions: tuple[str, ...]
    as_of: datetime

    @property
    def difference(self) -> Money:
        """Bank minus book at the end of the period."""
        return self.bank - self.book


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """One school in the province's roll-up: sums only, nobody's name."""

    school: str
    commune: str
    bills: int
    billed: Money
    received: Money
    waiting_count: int
    difference: Money

    @property
    def percent(self) -> int:
        """Share of the billed money that came in, in whole percent rounded down."""
        return 100 if not self.billed else min(100, self.received.dong * 100 // self.billed.dong)


@dataclass(frozen=True, slots=True)
class ProvincePage:
    """The province's roll-up."""

    rows: tuple[SchoolRow, ...]
    billed: Money
    received: Money
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether this process may get traffic. ``degraded`` names parts whose absence is bearable."""

    ready: bool
    database_ms: int | None
    schema: str
    degraded: tuple[str, ...] = field(default=())
