"""What the pages of the State's money show and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.money import ZERO, Money
from service.pages.fee_views import PupilHit


@dataclass(frozen=True, slots=True)
class TypedClaim:
    """A new list as typed: kind, school year, instalment, months (empty: the usual ones), budget codes."""

    kind: str
    school_year: str
    instalment: int
    first_month: str = ""
    last_month: str = ""
    chapter_code: str = ""
    category_code: str = ""
    economic_code: str = ""


@dataclass(frozen=True, slots=True)
class TypedStep:
    """A step of a list: which one, the digest that was shown, and a reason where one is needed."""

    step: str
    digest: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TypedPayment:
    """Money that came, as typed."""

    amount: str
    paid_on: date
    way: str
    document: str


@dataclass(frozen=True, slots=True)
class TypedPayout:
    """A signature on the payout list, as typed."""

    pupil: str
    received_by: str
    received_on: date
    way: str


@dataclass(frozen=True, slots=True)
class TypedChoice:
    """Who gets the support, as typed."""

    payee: str
    decision: str
    decided_on: date
    since: date


@dataclass(frozen=True, slots=True)
class TypedEntitlement:
    """A right to learning-cost support, as typed."""

    enrolment: str
    code: str
    evidence: str
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One list in the table of lists; ``number`` above 0 corrects the first one of its instalment."""

    claim_id: str
    kind: str
    kind_name: str
    school_year: str
    instalment: int
    number: int
    state: str
    months: str
    pupils: int
    total: Money | None
    maker: str


@dataclass(frozen=True, slots=True)
class RateRow:
    """What the State pays for a pupil's month, by level and place."""

    kind_name: str
    level: str
    place: str
    amount: Money
    months: int | None
    legal_basis: str
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """Who gets the support of a private school's pupils from a day on."""

    choice_id: str
    payee: str
    decision: str
    decided_on: date
    since: date
    approved: bool
    maker: str


@dataclass(frozen=True, slots=True)
class StateMoneyPage:
    """Rates, lists and choices of a school. ``kinds``: what it can ask for; ``codes``: those of its last list."""

    claims: tuple[ClaimRow, ...]
    rates: tuple[RateRow, ...]
    choices: tuple[ChoiceRow, ...]
    private: bool
    payee_now: str
    kinds: tuple[tuple[str, str], ...]
    years: tuple[str, ...]
    codes: tuple[str, str, str]
    budget_code: str
    entitlements_waiting: int


@dataclass(frozen=True, slots=True)
class ClaimLineRow:
    """One pupil of a list at one rate. What for stands in the workbook only, whose opening is recorded."""

    pupil: str
    enrolment_id: str
    class_name: str
    months: str
    count: int
    rate: Money
    amount: Money
    payee: str


@dataclass(frozen=True, slots=True)
class StatePaymentRow:
    """Money that came on a list."""

    payment_id: str
    amount: Money
    paid_on: date
    way: str
    document: str


@dataclass(frozen=True, slots=True)
class Came:
    """What an approved list asked for and what came of it; a rest below zero was overpaid."""

    to_school: Money
    to_families: Money
    paid_school: Money
    paid_families: Money
    rest: Money


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """One list with its lines, what was left out, what came of it. ``changed``: the rows moved since it was worked out.

    ``ways``: where money on it can come to.
    """

    row: ClaimRow
    lines: tuple[ClaimLineRow, ...]
    line_count: int
    number: int
    pages: int
    problems: tuple[str, ...]
    digest: str
    codes: tuple[str, str, str]
    approver: str
    changed: bool
    came: Came | None
    payments: tuple[StatePaymentRow, ...]
    ways: tuple[tuple[str, str], ...]
    unpaid: int


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """A pupil on the payout list; the signature if the money was handed over. No class of poverty."""

    pupil_id: str
    pupil: str
    class_name: str
    months: int
    amount: Money
    payout_id: str = ""
    received_by: str = ""
    received_on: date | None = None
    way: str = ""
    too_much: Money = ZERO


@dataclass(frozen=True, slots=True)
class PayoutPage:
    """The payout list: who still has money coming, and who has signed."""

    row: ClaimRow
    waiting: tuple[PayoutLine, ...]
    paid: tuple[PayoutLine, ...]
    waiting_sum: Money
    paid_sum: Money
    today: date


@dataclass(frozen=True, slots=True)
class EntitlementRow:
    """A pupil's right: class, paper, dates, who entered it."""

    entitlement_id: str
    pupil: str
    class_name: str
    title: str
    legal_basis: str
    evidence: str
    first: date
    last: date | None
    approved: bool
    maker: str
    mine: bool


@dataclass(frozen=True, slots=True)
class EntitlementsPage:
    """All rights of a school, and the form for a new one: find a pupil, then choose class and paper."""

    rows: tuple[EntitlementRow, ...]
    classes: tuple[tuple[str, str], ...]
    words: str
    hits: tuple[PupilHit, ...]
    chosen: PupilHit | None
    first: date
