"""What the pages of plans of collections and the public page of fees show and take (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from billing.money import Money
from billing.plans.rules import EVERYBODY, Audience


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan in the list; ``state`` is *draft*, *submitted*, *approved* or *returned*."""

    plan_id: str
    school_year: str
    version: int
    state: str
    items: int
    expected: Money
    made_on: date
    maker: str
    number: str = ""
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class PlansPage:
    """The plans of a school, newest first; ``required_from``: since when rounds need one (public schools only)."""

    rows: tuple[PlanRow, ...]
    public: bool
    required_from: date | None
    fixed: bool
    today: date


@dataclass(frozen=True, slots=True)
class PlanLine:
    """An item of a plan with its estimate, or of the form of a new one; numbers are None where nothing is proposed.

    ``audience``: whom the price is for; ``whom`` says it in words, empty for everybody.
    """

    code: str
    name: str
    unit: str
    price: Money | None
    pupils: int | None
    times: int | None
    basis: str
    purpose: str
    expected: Money | None = None
    audience: Audience = EVERYBODY

    @property
    def whom(self) -> str:
        """For whom the price is, in words."""
        return str(self.audience)

    @property
    def levels(self) -> str:
        """The levels as the form sends them back."""
        return ",".join(sorted(self.audience.levels))

    @property
    def grades(self) -> str:
        """The grades as the form shows them."""
        return ", ".join(map(str, sorted(self.audience.grades)))


@dataclass(frozen=True, slots=True)
class NewPlan:
    """The form of a new version, filled with the last one, or with the prices of today.

    ``levels``: codes and names where the school has several; ``choices``: code and name of what may get another price.
    """

    years: tuple[str, ...]
    version: int
    lines: tuple[PlanLine, ...]
    today: date
    levels: tuple[tuple[str, str], ...] = ()

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Return code and name of every item, once."""
        return tuple(dict.fromkeys((line.code, line.name) for line in self.lines))


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A file of a plan."""

    paper_id: str
    kind: str
    name: str
    size: int
    sha256: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of a plan: who, when, why, and by which decision."""

    kind: str
    who: str
    at: datetime
    reason: str
    number: str
    decided_on: date | None
    signer: str
    authority: str
    valid_from: date | None


@dataclass(frozen=True, slots=True)
class PlanPage:
    """One plan whole; ``own``: this person made it and cannot approve it."""

    row: PlanRow
    meeting_on: date
    meeting_place: str
    meeting_yes: int
    meeting_of: int
    lines: tuple[PlanLine, ...]
    papers: tuple[PaperRow, ...]
    steps: tuple[StepRow, ...]
    own: bool
    today: date
    year_starts: date


@dataclass(frozen=True, slots=True)
class TypedPlan:
    """A new plan as it was typed: texts, and one column for each field of the items."""

    year: str
    day: str
    place: str
    yes: str
    of: str
    codes: tuple[str, ...]
    levels: tuple[str, ...]
    grades: tuple[str, ...]
    prices: tuple[str, ...]
    pupils: tuple[str, ...]
    times: tuple[str, ...]
    bases: tuple[str, ...]
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypedFile:
    """A file as it came."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class TypedDecision:
    """The authority's decision as it was typed."""

    number: str
    day: str
    signer: str
    authority: str
    valid_from: str


@dataclass(frozen=True, slots=True)
class PublicPrice:
    """A price for everybody to read; ``whom`` is empty when it holds for all."""

    amount: Money
    unit: str
    whom: str
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class PublicItem:
    """An item for everybody to read. ``decision``: number and day of the decision whose plan holds it, or empty.

    ``planned``: the prices that the decision allows, each with for whom it is.
    """

    name: str
    group: str
    prices: tuple[PublicPrice, ...]
    legal_basis: str
    voluntary: bool
    decision: str
    planned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicReduction:
    """A kind of reduction in the law's words: who carries it, how much where it is fixed, on which basis."""

    name: str
    payer: str
    share: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class PublicFees:
    """What a school collects, as of a day; nothing of any pupil."""

    code: str
    school: str
    address: str
    phone: str
    school_year: str
    day: date
    items: tuple[PublicItem, ...]
    reductions: tuple[PublicReduction, ...]
