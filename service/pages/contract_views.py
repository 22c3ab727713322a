"""What the pages of contracts show, and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from billing.money import ZERO, Money
from notifications.rules import Invitation
from service.pages.fee_views import PupilHit

STATES = {
    "draft": ("Chưa ký", "Not signed"),
    "agreed": ("Đã ký, chưa nhập học", "Signed, not enrolled"),
    "enrolled": ("Đang học", "Enrolled"),
    "declined": ("Không nhập học", "Does not come"),
    "withdrawn": ("Đã rút học", "Withdrawn"),
}


@dataclass(frozen=True, slots=True)
class TypedContract:
    """A new contract as typed: of ``enrolment_id`` where it is given, else of a child that applies."""

    version_id: str
    plan: str
    starts_on: str
    months: str
    enrolment_id: str = ""
    full_name: str = ""
    birth_date: str = ""
    sex: str = ""
    guardian_name: str = ""
    relation: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class TypedVersion:
    """A new version as typed; the columns have a line for each way to pay, deposit step and withdrawal step."""

    code: str
    title: str
    body: str
    valid_from: str
    deposit: str
    deposit_days: tuple[str, ...]
    deposit_kept: tuple[str, ...]
    items: tuple[str, ...]
    percents: tuple[str, ...]
    instead: tuple[str, ...]
    before_start: str
    less_deposit: str
    months: tuple[str, ...]
    back: tuple[str, ...]
    grace: str
    late_percent: str
    late_cap: str


@dataclass(frozen=True, slots=True)
class TypedTerm:
    """A new item for paying ahead, as typed: its months are first days, each with a number of months."""

    code: str
    name: str
    monthly_item: str
    price: str
    starts: tuple[str, ...]
    months: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypedEnd:
    """That a child does not come, or leaves: the day, the reason, and the sum that was shown."""

    day: str
    reason: str = ""
    shown: str = ""


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A contract in the list."""

    contract_id: str
    number: str
    child: str
    school_year: str
    plan: str
    starts_on: date
    state: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in the list; families agree to approved ones only."""

    version_id: str
    code: str
    title: str
    valid_from: date
    approved: bool


@dataclass(frozen=True, slots=True)
class ContractsPage:
    """The contracts of a school, its versions, and what a new contract is made from."""

    private: bool
    words: str
    hits: tuple[PupilHit, ...]
    rows: tuple[ContractRow, ...]
    versions: tuple[VersionRow, ...]
    usable: tuple[VersionRow, ...]
    sexes: tuple[str, ...]
    relations: tuple[tuple[str, str], ...]
    today: date


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A version: its words, its terms in words, and whether the reader made it."""

    row: VersionRow
    body: str
    terms: tuple[tuple[str, str], ...]
    own: bool
    maker: str


@dataclass(frozen=True, slots=True)
class NewVersionPage:
    """The form of a new version; ``items`` are codes with names, ``ahead`` those that are paid ahead."""

    items: tuple[tuple[str, str], ...]
    ahead: tuple[tuple[str, str], ...]
    today: date


@dataclass(frozen=True, slots=True)
class DepositFacts:
    """A place deposit: its bill, how it is paid, what was paid, and the key of the form that stores cash once."""

    number: str
    due_on: date
    amount: Money
    paid: Money
    rest: Money
    reference: str
    account: str
    svg: str
    link: str


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """The link with which a family agrees: its address, until when, the deposit's last day, and whether it is open."""

    address: str
    until: date
    deposit_due: date
    open: bool


@dataclass(frozen=True, slots=True)
class AgreedFacts:
    """Who agreed with a code: the guardian, the masked contact, when, the version, the words and their digest (hex)."""

    guardian: str
    masked: str
    at: datetime
    version: str
    words: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step that was taken: its kind, day and reason, by whom, when, and the file behind it."""

    kind: str
    day: date
    who: str
    at: datetime
    reason: str
    way: str
    paper_id: str
    sums: tuple[tuple[str, Money], ...]


@dataclass(frozen=True, slots=True)
class WithdrawnRow:
    """A prepaid line when the child leaves: used, given back and kept by the contract."""

    item: str
    number: str
    net: Money
    used: Money
    back: Money
    kept: Money


@dataclass(frozen=True, slots=True)
class EndShown:
    """What the end of a contract would do, before anybody agrees to it."""

    day: date
    never: bool
    paid: Money = ZERO
    kept: Money = ZERO
    back: Money = ZERO
    percent: int = 0
    lines: tuple[WithdrawnRow, ...] = ()
    others: Money = ZERO
    gives_back: Money = ZERO
    still_open: Money = ZERO


@dataclass(frozen=True, slots=True)
class ContractPage:
    """One contract with everything that happened, and what may be done next."""

    row: ContractRow
    months: int
    version: VersionRow
    body: str
    terms: tuple[tuple[str, str], ...]
    guardian: str
    deposit: DepositFacts | None
    steps: tuple[StepRow, ...]
    classes: tuple[tuple[str, str], ...]
    today: date
    shown: EndShown | None = None
    problem: str = ""
    refundable: Money = ZERO
    leaving_id: str = ""
    rejected: tuple[str, ...] = ()
    link: LinkFacts | None = None
    asked: tuple[Invitation, ...] = ()
    agreed: AgreedFacts | None = None


@dataclass(frozen=True, slots=True)
class IncomeRow:
    """A prepaid line in the close of a month."""

    number: str
    child: str
    item: str
    first: date
    months: int
    net: Money
    released: Money
    now: Money
    remains: Money


@dataclass(frozen=True, slots=True)
class IncomePage:
    """The close of a month: what becomes income, what remains deferred, and when it was closed by itself."""

    month: date
    rows: tuple[IncomeRow, ...]
    amount: Money
    remains: Money
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class LateRow:
    """A late bill with the clause of its contract and what may be added today."""

    bill_id: str
    number: str
    child: str
    contract: str
    due_on: date
    days: int
    rest: Money
    before: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class LatePage:
    """The late bills of children whose contract has the clause, and the month of the next round."""

    rows: tuple[LateRow, ...]
    month: date
