"""What the pages of pupils' health insurance show, and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from billing.fees.insurance import in_percent
from billing.money import Money

REASONS_IN_ENGLISH = {
    "household": "Household",
    "poor": "Poor household",
    "near_poor": "Near-poor household",
    "military": "Family of the forces",
    "social": "Social protection",
    "under_six": "Child under six",
    "elsewhere": "Elsewhere",
}
PAYOUT_STATES = {
    "asked": ("Chờ duyệt", "To be approved"),
    "approved": ("Đã duyệt", "Approved"),
    "rejected": ("Bị từ chối", "Rejected"),
    "undone": ("Đã hủy", "Undone"),
}


@dataclass(frozen=True, slots=True)
class TypedCard:
    """What is typed of one pupil's card; dates and months as the fields give them."""

    year: str
    source: str
    reason: str = ""
    card_end: str = ""
    number: str = ""
    at_a_time: str = ""
    month: str = ""


@dataclass(frozen=True, slots=True)
class TypedClassCards:
    """What is typed for the ticked pupils of a class; ``small`` means each child's free card until six."""

    year: str
    pupils: tuple[str, ...]
    card_end: str
    at_a_time: str
    month: str
    small: bool


@dataclass(frozen=True, slots=True)
class TypedPayout:
    """What is typed of money passed on to the insurer."""

    list_id: str
    amount: str
    day: str
    reference: str


@dataclass(frozen=True, slots=True)
class RateRow:
    """The parameters that hold: a month's premium and who pays it."""

    wage: Money
    rate_permille: int
    state_percent: int
    province_percent: int
    month: Money
    family: Money
    basis: str
    until: date | None

    @property
    def rate(self) -> str:
        """The rate as people write it: ``4,5 %``."""
        return in_percent(self.rate_permille)


@dataclass(frozen=True, slots=True)
class InsuredClass:
    """A class in the overview: how many buy at school, have another card, or are not known yet."""

    class_id: str
    code: str
    pupils: int
    buying: int
    elsewhere: int

    @property
    def unknown(self) -> int:
        """Of whom nothing is known yet: nothing is collected for them."""
        return self.pupils - self.buying - self.elsewhere


@dataclass(frozen=True, slots=True)
class SentList:
    """A list that was sent."""

    list_id: str
    number: int
    sent_at: datetime
    lines: int
    family: Money


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """Money passed on; ``own``: the reader entered it and cannot decide on it."""

    payout_id: str
    number: int
    amount: Money
    paid_on: date
    reference: str
    state: str
    maker: str
    own: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of a year; ``difference`` and ``odd`` must be nothing."""

    billed: Money
    unpaid: Money
    collected: Money
    given_back: Money
    passed_on: Money
    held: Money
    difference: Money
    told: Money
    not_told: Money
    to_pass_on: Money
    odd: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InsurancePage:
    """The overview of one calendar year."""

    year: int
    today: date
    opened: bool
    accounts: tuple[tuple[str, str], ...]
    rate: RateRow | None
    classes: tuple[InsuredClass, ...]
    lists: tuple[SentList, ...]
    payouts: tuple[PayoutRow, ...]
    sums: Sums


@dataclass(frozen=True, slots=True)
class CardRow:
    """A pupil in a class: *school*, *other* or nothing known. Why another card is held stands on no list."""

    pupil_id: str
    name: str
    source: str
    card_end: date | None = None
    months: int = 0
    collected: tuple[str, ...] = ()
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class ClassCards:
    """The pupils of one class with their cards of a year."""

    class_id: str
    code: str
    year: int
    month: str
    pupils: tuple[CardRow, ...]


@dataclass(frozen=True, slots=True)
class BoughtRow:
    """What was bought with a bill."""

    number: str
    first_month: date
    months: int
    family: Money
    settled: bool
    months_off: int


@dataclass(frozen=True, slots=True)
class DoubleRow:
    """Months that were asked back because of another card; ``stands``: *waiting*, *approved* or *rejected*."""

    valid_from: date
    months: int
    amount: Money
    stands: str
    correction_id: str


@dataclass(frozen=True, slots=True)
class CardPage:
    """One pupil's card with everything that staff with the right may see."""

    pupil_id: str
    name: str
    year: int
    today: date
    row: CardRow
    reason: str
    number: str
    at_a_time: int | None
    month: str
    reasons: tuple[tuple[str, str, str], ...]
    bought: tuple[BoughtRow, ...]
    doubles: tuple[DoubleRow, ...]
    free: Money


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A line of a list as it is read on the page; the card's number stands in the file only."""

    name: str
    birth_date: date
    class_code: str
    numbered: bool
    first_month: date
    months: int
    gross: Money
    state: Money
    province: Money
    others: Money
    family: Money


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list, sent or as it would be sent now (then ``list_id`` is empty); ``unpaid`` wait for a later one."""

    year: int
    number: int
    list_id: str
    digest: str
    rows: tuple[ListedRow, ...]
    sent_at: datetime | None
    sent_by: str
    sums: ListedRow | None
    unpaid: tuple[tuple[str, Money], ...] = ()
