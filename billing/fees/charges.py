"""What a pupil is charged by, and the charge that comes of it: facts, schedule, lines with every share (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from billing.errors import Refused
from billing.fees.items import (
    UNIT_NAMES,
    FeeItem,
    Group,
    Level,
    Ownership,
    Payer,
    Price,
    Quantity,
    Reduction,
    Span,
)
from billing.money import Money, total

PUBLIC_TUITION = Reduction(
    id="NQ217",
    title="Miễn học phí trường công lập",
    payer=Payer.STATE,
    valid=Span(date(2025, 9, 1)),  # free from the school year 2025-2026 on
    legal_basis="Nghị quyết 217/2025/QH15; Nghị định 238/2025/NĐ-CP",
    percent=100,
    groups=frozenset({Group.TUITION}),
    citizens_only=True,  # and those of Vietnamese origin whose nationality is not determined
)


@dataclass(frozen=True, slots=True)
class Period:
    """The days one round bills for, and the school's meal days among them."""

    code: str
    title: str
    days: Span
    meal_days: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if self.days.end is None:
            raise Refused(f"Kỳ thu {self.title} phải có ngày kết thúc.", period=self.code)
        if not all(self.days.holds(day) for day in self.meal_days):
            raise Refused(f"Kỳ thu {self.title} có ngày ăn nằm ngoài kỳ.", period=self.code)


@dataclass(frozen=True, slots=True)
class Registration:
    """A family's registration for an item (bus, boarding …), dated; ``quantity`` units a month."""

    item: str
    days: Span
    quantity: int = 1

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise Refused(f"Đăng ký {self.item}: số lượng phải từ 1.", item=self.item)


@dataclass(frozen=True, slots=True)
class PupilFacts:
    """All that the rules need to know of a pupil in this school and period.

    ``before``: earlier days at the school in this period that another bill charged.
    """

    pupil_id: UUID
    level: Level
    grade: int
    class_name: str
    enrolled: tuple[Span, ...]
    registrations: tuple[Registration, ...] = ()
    reductions: tuple[Reduction, ...] = ()
    sibling_order: int = 1
    citizen: bool = True
    absent: frozenset[date] = frozenset()
    paid_otherwise: tuple[Registration, ...] = ()
    before: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a school charges: its prices, and the reductions that hold for every pupil who fits them."""

    ownership: Ownership
    prices: tuple[Price, ...]
    reductions: tuple[Reduction, ...] = ()

    def standing(self) -> tuple[Reduction, ...]:
        """Return the reductions for everybody; public tuition is the State's whatever the schedule says."""
        return (PUBLIC_TUITION, *self.reductions) if self.ownership is Ownership.PUBLIC else self.reductions

    def by_siblings(self) -> bool:
        """Tell whether any of these is for the second child of a family and later ones only."""
        return any(reduction.from_sibling > 1 for reduction in self.standing())


@dataclass(frozen=True, slots=True)
class AppliedReduction:
    """What one reduction took off one line."""

    reduction: Reduction
    amount: Money


@dataclass(frozen=True, slots=True)
class MonthFacts:
    """The units of one month (``2025-10``); first and last day are given where the pupil was not there all of it."""

    month: str
    units: int
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class GaveWay:
    """A reduction for paying ahead that did not count in some months (``2025-10``), since another gave more."""

    title: str
    to: str
    months: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Because:
    """From what a line explains itself: the price with its days and audience, and the units month by month.

    ``audience``: the levels, grades and classes it is limited to, such as ``level:primary``; nobody means everybody.
    ``half``: the unit price is half the price, since the pupil was there in one half of these months only.
    """

    rule: Quantity
    price_days: Span
    audience: tuple[str, ...]
    months: tuple[MonthFacts, ...]
    half: bool = False
    gave_way: tuple[GaveWay, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One item of a charge: gross, what others carry, what is left to the family, and how it came about."""

    item: FeeItem
    quantity: int
    unit_price: Money
    gross: Money
    reductions: tuple[AppliedReduction, ...]
    family_share: Money
    because: Because

    def share(self, payer: Payer) -> Money:
        """Return what this payer carries of the line."""
        if payer is Payer.FAMILY:
            return self.family_share
        return total(applied.amount for applied in self.reductions if applied.reduction.payer is payer)

    @property
    def formula(self) -> str:
        """How the gross comes about, as families read it: ``32.000 đ × 22 ngày ăn = 704.000 đ``."""
        return f"{self.unit_price} × {self.quantity} {UNIT_NAMES[self.item.unit]} = {self.gross}"


@dataclass(frozen=True, slots=True)
class Charge:
    """What one pupil is charged in one period; nothing is rounded away: the lines are the sum."""

    pupil_id: UUID
    period: Period
    lines: tuple[ChargeLine, ...]

    @property
    def gross(self) -> Money:
        """The sum before anybody's share is taken off."""
        return total(line.gross for line in self.lines)

    @property
    def family_due(self) -> Money:
        """What is left to the family."""
        return total(line.family_share for line in self.lines)

    @property
    def covered(self) -> bool:
        """Whether nothing is left to the family: no request, QR, receipt or reminder."""
        return not self.family_due

    def share(self, payer: Payer) -> Money:
        """Return what this payer carries of the charge."""
        return total(line.share(payer) for line in self.lines)
