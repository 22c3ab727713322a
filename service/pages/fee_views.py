"""What the pages of fees show (pure): items, catalogues, registrations, reductions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.money import Money


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One price: what a unit costs, for whom (empty: everybody), from when to when, and how it stands to the cap.

    ``coming``: it does not hold yet. ``wrong``: it may not be charged as it is; ``standing`` then says why.
    """

    price_id: int
    amount: Money
    unit: str
    whom: str
    first: date
    last: date | None
    standing: str = ""
    coming: bool = False
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of a school with its prices, the oldest first."""

    code: str
    name: str
    group: str
    unit: str
    legal_basis: str
    account: str
    revenue_account: str
    opt_in: bool
    ended_on: date | None
    prices: tuple[PriceLine, ...]


@dataclass(frozen=True, slots=True)
class ItemsPage:
    """All items of a school; ``groups`` are pairs of a group's name and its items."""

    groups: tuple[tuple[str, tuple[ItemRow, ...]], ...]
    year: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was loaded or entered yet."""
        return not self.groups


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A catalogue that comes with the program."""

    name: str
    title: str
    items: int


@dataclass(frozen=True, slots=True)
class CatalogueChoice:
    """What a catalogue is loaded from: the name of a shipped file, or the text of one's own (JSON)."""

    name: str = ""
    text: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """One item of a catalogue before it is loaded: price in words, and the verdict on it."""

    code: str
    name: str
    group: str
    price: str
    verdict: str
    needs_yes: bool


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """What loading a catalogue would do.

    ``accounts``: the catalogue's keys; ``own``: the school's accounts as (id, name). ``problem`` says why it cannot
    be loaded as it is.
    """

    choice: CatalogueChoice
    title: str
    items: tuple[CatalogueItem, ...]
    reductions: tuple[str, ...]
    comments: tuple[str, ...]
    accounts: tuple[str, ...]
    own: tuple[tuple[str, str], ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class OptInItem:
    """An item that families register for."""

    code: str
    name: str
    price: str
    pupils: int


@dataclass(frozen=True, slots=True)
class OptInClass:
    """A class, how many pupils it has, and how many of them are registered for each item, in the items' order."""

    class_id: str
    code: str
    pupils: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OptInsPage:
    """All registrations at a day: items across, classes down."""

    day: date
    items: tuple[OptInItem, ...]
    classes: tuple[OptInClass, ...]


@dataclass(frozen=True, slots=True)
class OptInPupil:
    """A pupil of a class; ``since`` and ``until`` are of the registration that holds or is to come."""

    enrolment_id: str
    name: str
    code: str
    since: date | None = None
    until: date | None = None
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class OptInClassPage:
    """One item in one class, pupil by pupil."""

    day: date
    item: OptInItem
    class_id: str
    class_code: str
    pupils: tuple[OptInPupil, ...]


@dataclass(frozen=True, slots=True)
class PupilHit:
    """A pupil found by name, code or class."""

    enrolment_id: str
    name: str
    code: str
    class_name: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class ReductionRow:
    """A pupil's reduction in a list. Its kind and basis stand on its own page only, where looking is recorded."""

    reduction_id: str
    pupil: str
    class_name: str
    first: date
    last: date | None
    state: str
    maker: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class ReductionList:
    """Reductions of pupils: what waits for approval, and what holds."""

    waiting: tuple[ReductionRow, ...]
    others: tuple[ReductionRow, ...]
    words: str = ""


@dataclass(frozen=True, slots=True)
class UnchangedBill:
    """An issued bill that a reduction reaches back to: ``where`` it can be corrected, and for which months."""

    number: str
    months: str
    where: str
    lowered: bool = False


@dataclass(frozen=True, slots=True)
class ReductionPage:
    """Everything on one reduction, for staff with the right to see it."""

    row: ReductionRow
    title: str
    share: str
    covers: tuple[str, ...]
    payer: str
    legal_basis: str
    evidence: str
    approver: str = ""
    unchanged: tuple[UnchangedBill, ...] = ()


@dataclass(frozen=True, slots=True)
class KindChoice:
    """A kind of reduction that the law or the school knows, as offered by the form."""

    code: str
    title: str
    legal_basis: str
    payer: str
    percent: int | None
    evidence: str


@dataclass(frozen=True, slots=True)
class ReductionForm:
    """The form of a new reduction: whom it is for, and what can be chosen; ``items`` are (code, name)."""

    pupil: PupilHit
    kinds: tuple[KindChoice, ...]
    items: tuple[tuple[str, str], ...]
    first: date


@dataclass(frozen=True, slots=True)
class TypedReduction:
    """A reduction as it was typed; empty texts mean what the kind says, an empty ``item`` the kind's groups."""

    enrolment_id: str
    kind: str
    first: date
    evidence: str
    last: date | None = None
    percent: str = ""
    amount: str = ""
    item: str = ""
    legal_basis: str = ""


@dataclass(frozen=True, slots=True)
class NewOptIns:
    """Who is to be registered for what: whole classes, or (``enrolments``) ticked pupils of one class."""

    classes: tuple[str, ...]
    items: tuple[str, ...]
    first: date
    evidence: str
    quantity: int = 1
    enrolments: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EndedOptIns:
    """Whose registration for an item ends, after which day, and why."""

    item: str
    enrolments: tuple[str, ...]
    last: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TypedItem:
    """An item as it was typed; for a change, an empty text leaves what stands."""

    code: str
    name: str
    legal_basis: str
    revenue_account: str
    account_id: str
    group: str = ""
    unit: str = ""
    opt_in: bool = False
    first: date | None = None
    carry_over: str = ""


@dataclass(frozen=True, slots=True)
class TypedPrice:
    """A price as it was typed: for some levels, grades or classes, or (all empty) for everybody.

    ``quantity`` and ``part_month`` are codes; empty ones mean the usual: fixed (meal days for meals), whole months.
    """

    amount: str
    first: date
    last: date | None = None
    grades: str = ""
    classes: str = ""
    count: int = 1
    levels: tuple[str, ...] = ()
    quantity: str = ""
    part_month: str = ""


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One item with its prices, and what its forms offer as (code, name): accounts, levels, ways to count, part months.

    Choices of which there is only one are left out.
    """

    row: ItemRow
    account_id: str
    own: tuple[tuple[str, str], ...]
    first: date
    levels: tuple[tuple[str, str], ...] = ()
    quantities: tuple[tuple[str, str], ...] = ()
    part_months: tuple[tuple[str, str], ...] = ()
    carry_over: str = "none"
