"""The words of a fee schedule: items, prices and reductions, each checked when it is built (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from billing.errors import Refused
from billing.money import ZERO, Money

# Above this a price is a typing mistake: the dearest private school year is a fifth of it.
MAX_PRICE = Money(1_000_000_000)
MAX_COUNT = 1_000
MAX_PERCENT = 100


class Group(StrEnum):
    """What kind of money an item is; decides who pays, what may be capped and how it is booked."""

    TUITION = "tuition"
    SERVICE = "service"
    AGREED = "agreed"
    PASS_THROUGH = "pass_through"  # noqa: S105  money passed on, no password
    DONATION = "donation"


class Unit(StrEnum):
    """What a price is for."""

    MONTH = "month"
    MEAL_DAY = "meal_day"
    HOUR = "hour"
    DAY = "day"
    LESSON = "lesson"
    KM = "km"
    TERM = "term"
    YEAR = "year"
    ONCE = "once"


class Level(StrEnum):
    """Level of schooling, as the councils' resolutions and the tuition frame use it."""

    PRESCHOOL = "preschool"
    PRIMARY = "primary"
    LOWER_SECONDARY = "lower_secondary"
    UPPER_SECONDARY = "upper_secondary"
    CONTINUING = "continuing"


class Ownership(StrEnum):
    """Who runs the school."""

    PUBLIC = "public"
    PRIVATE = "private"


class Payer(StrEnum):
    """Who carries a share of a fee."""

    FAMILY = "family"
    STATE = "state"
    SCHOOL = "school"
    DONOR = "donor"


class Quantity(StrEnum):
    """Where the number of units comes from, for each month of the period."""

    FIXED = "fixed"  # the price's own count
    MEAL_DAYS = "meal_days"  # the meal days of the period on which the pupil is there
    REGISTERED = "registered"  # the number in the pupil's registration


class CarryOver(StrEnum):
    """What becomes of money of an item that was not used, such as meals not eaten."""

    NONE = "none"  # the item leaves nothing over: a month is a month
    SAME_ITEM = "same_item"  # kept for the same item in later months
    OFFSET_ROUND = "offset_round"  # the same item first, then everything else of the round


class PartMonth(StrEnum):
    """What a pupil pays for a month of which they are there only a part; the middle lies after the 15th.

    Half a month costs half the price, half a đồng rounded up. Who leaves and comes back within a month, and was
    there in both halves of it, pays the whole month.
    """

    WHOLE = "whole"  # one day is a month
    HALF = "half_from_16"  # there only in its first or only in its second half: half the price
    NONE = "none_from_16"  # there only in its second half: nothing; only in its first half: the whole price


GROUP_NAMES = {
    Group.TUITION: "Học phí",
    Group.SERVICE: "Dịch vụ phục vụ, hỗ trợ giáo dục",
    Group.AGREED: "Khoản thu thỏa thuận",
    Group.PASS_THROUGH: "Thu hộ – chi hộ",
    Group.DONATION: "Tài trợ",
}
PART_MONTH_NAMES = {
    PartMonth.WHOLE: "tính cả tháng",
    PartMonth.HALF: "nửa tháng tính nửa giá (mốc ngày 15)",
    PartMonth.NONE: "vào sau ngày 15 thì không thu tháng đó",
}
QUANTITY_NAMES = {
    Quantity.FIXED: "cố định",
    Quantity.MEAL_DAYS: "theo ngày ăn",
    Quantity.REGISTERED: "theo đăng ký",
}
CARRY_OVER_NAMES = {
    CarryOver.NONE: "không có tiền tồn",
    CarryOver.SAME_ITEM: "giữ cho chính khoản này các tháng sau",
    CarryOver.OFFSET_ROUND: "trừ vào khoản này trước, rồi các khoản khác",
}
UNIT_NAMES = {
    Unit.MONTH: "tháng",
    Unit.MEAL_DAY: "ngày ăn",
    Unit.HOUR: "giờ",
    Unit.DAY: "ngày",
    Unit.LESSON: "tiết",
    Unit.KM: "km",
    Unit.TERM: "học kỳ",
    Unit.YEAR: "năm học",
    Unit.ONCE: "lần",
}
LEVEL_NAMES = {
    Level.PRESCHOOL: "mầm non",
    Level.PRIMARY: "tiểu học",
    Level.LOWER_SECONDARY: "trung học cơ sở",
    Level.UPPER_SECONDARY: "trung học phổ thông",
    Level.CONTINUING: "giáo dục thường xuyên",
}
# Units that do not come back every month: a price in them must say in which month it is due.
RARE_UNITS = frozenset({Unit.TERM, Unit.YEAR, Unit.ONCE})


def last_day(day: date) -> date:
    """Return the last day of a day's month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Days from ``start`` to ``end``, both included; no ``end`` means until further notice."""

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise Refused(f"Ngày kết thúc {self.end:%d/%m/%Y} trước ngày bắt đầu {self.start:%d/%m/%Y}.", span=self)

    def holds(self, day: date) -> bool:
        """Tell whether the day lies within."""
        return self.start <= day and (self.end is None or day <= self.end)

    def within(self, other: Span) -> Span | None:
        """Return the days common to both, or None."""
        start = max(self.start, other.start)
        ends = [end for end in (self.end, other.end) if end is not None]
        end = min(ends, default=None)
        return None if end is not None and end < start else Span(start, end)

    def without(self, other: Span) -> list[Span]:
        """Return what is left of the days when those of the other are taken out: none, one or two spans."""
        left = []
        if self.start < other.start:
            before = other.start - timedelta(days=1)
            left.append(Span(self.start, before if self.end is None else min(self.end, before)))
        if other.end is not None and (self.end is None or self.end > other.end):
            left.append(Span(max(self.start, other.end + timedelta(days=1)), self.end))
        return left

    def months(self) -> Iterator[Span]:
        """Cut the days into calendar months; days without an end give none."""
        start = self.start
        while self.end is not None and start <= self.end:
            last = last_day(start)
            yield Span(start, min(self.end, last))
            start = last + timedelta(days=1)

    def whole_months(self) -> bool:
        """Tell whether it starts on the first and ends on the last day of a month (or never)."""
        ends_well = self.end is None or (self.end + timedelta(days=1)).day == 1
        return self.start.day == 1 and ends_well

    def one_month(self) -> bool:
        """Tell whether all days lie in one calendar month."""
        return self.end is not None and (self.start.year, self.start.month) == (self.end.year, self.end.month)


@dataclass(frozen=True, slots=True)
class FeeItem:
    """One fee item of a catalogue, under the legal name that notices must use."""

    code: str
    name: str
    group: Group
    unit: Unit
    account: str  # key of the school's bank account that receives it
    legal_basis: str
    revenue_account: str
    opt_in: bool = False  # charged only to those who registered for it
    carry_over: CarryOver = CarryOver.NONE

    def __post_init__(self) -> None:
        blank = [name for name in ("code", "name", "account", "legal_basis") if not getattr(self, name).strip()]
        if blank:
            raise Refused(f"Khoản thu {self.code or self.name!r} thiếu: {', '.join(blank)}.", item=self.code)


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of an item costs, for whom, from when to when, and how many units a month holds.

    Empty ``levels``, ``grades`` or ``classes`` mean all of them. Prices run by whole months, meal prices by days.
    Raises ``Refused`` for a donation (it can never be charged), for a price that is not positive, and for a
    rare unit (term, year, once) over more than one month, since it would come back in every one of them.
    """

    item: FeeItem
    amount: Money
    valid: Span
    quantity: Quantity = Quantity.FIXED
    count: int = 1
    levels: frozenset[Level] = frozenset()
    grades: frozenset[int] = frozenset()
    classes: frozenset[str] = frozenset()
    part_month: PartMonth = PartMonth.WHOLE

    def __post_init__(self) -> None:
        wrong = self._wrong()
        if wrong:
            raise Refused(f"Khoản thu {self.item.name}: {wrong}.", item=self.item.code)

    def _wrong(self) -> str | None:
        unit, rule, valid = self.item.unit, self.quantity, self.valid
        return _first_wrong(
            (
                self.item.group is Group.DONATION,
                "khoản tài trợ là tự nguyện, không được đưa vào đợt thu",
            ),
            (
                not ZERO < self.amount <= MAX_PRICE,
                f"đơn giá phải lớn hơn 0 đ và không quá {MAX_PRICE}, không phải {self.amount}",
            ),
            (not 1 <= self.count <= MAX_COUNT, f"số lượng phải từ 1 đến {MAX_COUNT}, không phải {self.count}"),
            (
                (rule is Quantity.MEAL_DAYS) != (unit is Unit.MEAL_DAY),
                "đơn vị ngày ăn đi cùng số lượng theo ngày ăn, không khoản nào khác",
            ),
            (
                rule is Quantity.REGISTERED and not self.item.opt_in,
                "số lượng theo đăng ký thì khoản thu phải là khoản đăng ký",
            ),
            (
                unit is not Unit.MEAL_DAY and not valid.whole_months(),
                "đơn giá có hiệu lực từ ngày đầu tháng đến ngày cuối tháng",
            ),
            (
                unit in RARE_UNITS and not valid.one_month(),
                f"khoản thu theo {UNIT_NAMES[unit]} phải ghi rõ thu vào một tháng nào",
            ),
            (
                self.part_month is not PartMonth.WHOLE and unit is not Unit.MONTH,
                "chỉ khoản thu theo tháng mới tính được nửa tháng",
            ),
        )

    @property
    def half(self) -> Money:
        """Half the price of one unit, half a đồng rounded up."""
        return self.amount.percent(50)

    def meets(self, level: Level, grade: int, class_name: str) -> bool:
        """Tell whether the price is meant for pupils of this level, grade and class."""
        return (
            (not self.levels or level in self.levels)
            and (not self.grades or grade in self.grades)
            and (not self.classes or class_name in self.classes)
        )

    def audience(self) -> tuple[str, ...]:
        """Return the levels, grades and classes that the price is limited to, such as ``level:primary``."""
        return (
            *(f"level:{level}" for level in sorted(self.levels)),
            *(f"grade:{grade}" for grade in sorted(self.grades)),
            *(f"class:{name}" for name in sorted(self.classes)),
        )


@dataclass(frozen=True, slots=True)
class Reduction:
    """A share of a fee that somebody other than the family carries, with dates, legal basis and evidence.

    Either ``percent`` (1 to 100, of the gross) of the named items and groups, or ``amount`` đồng for each
    month in which its one item is charged. ``title`` names the class ("Hộ nghèo") and belongs to the full
    view only.
    ``from_sibling``: for the n-th child of a family and later ones; 1 means every child. ``levels``: for pupils of
    these levels; empty means all. ``citizens_only``: not for pupils of another nationality. ``prepaid``: for paying
    ahead. ``kind``: its code; one kind by amount is given once a month, whichever of its rows holds.
    """

    id: str
    title: str
    payer: Payer
    valid: Span
    legal_basis: str
    percent: int | None = None
    amount: Money | None = None
    items: frozenset[str] = frozenset()
    groups: frozenset[Group] = frozenset()
    evidence: str = ""
    from_sibling: int = 1
    levels: frozenset[Level] = frozenset()
    citizens_only: bool = False
    prepaid: bool = False
    kind: str = ""

    def __post_init__(self) -> None:
        wrong = self._wrong()
        if wrong:
            raise Refused(f"Miễn giảm {self.title or self.id}: {wrong}.", reduction=self.id)

    def _wrong(self) -> str | None:
        percent, amount = self.percent, self.amount
        return _first_wrong(
            (self.payer is Payer.FAMILY, "người chịu phần giảm không thể là gia đình"),
            (not self.id.strip() or not self.legal_basis.strip(), "phải có mã và căn cứ pháp lý"),
            ((percent is None) == (amount is None), "ghi tỷ lệ hoặc số tiền, không ghi cả hai"),
            (
                percent is not None and not 1 <= percent <= MAX_PERCENT,
                f"tỷ lệ phải từ 1 đến 100, không phải {percent}",
            ),
            (amount is not None and amount <= ZERO, "số tiền giảm phải lớn hơn 0 đ"),
            (
                amount is not None and (len(self.items) != 1 or bool(self.groups)),
                "giảm theo số tiền thì chỉ cho đúng một khoản thu",
            ),
            (not self.items and not self.groups, "phải ghi khoản thu hoặc nhóm khoản thu được giảm"),
            (self.from_sibling < 1, "thứ tự con phải từ 1"),
        )

    def covers(self, item: FeeItem) -> bool:
        """Tell whether the item, or its group, is among those reduced."""
        return item.code in self.items or item.group in self.groups

    def of(self, gross: Money) -> Money:
        """Return what is taken off one month's gross, before it is bounded by what is left."""
        if self.percent is not None:
            return gross.percent(self.percent)
        assert self.amount is not None  # noqa: S101  exactly one of the two is given
        return self.amount


def _first_wrong(*checks: tuple[bool, str]) -> str | None:
    """Return the text of the first check that fails."""
    return next((text for failed, text in checks if failed), None)
