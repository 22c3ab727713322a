"""What a province's council pays for a pupil's month, checked against the Government's tuition frame (pure).

A file of rates is a JSON object like a catalogue: ``title``, ``sources``, and ``frames``, ``rates``, ``entitlements``.
The national file (``rates/national.json``) holds the frame and the learning-cost support. A province's own amounts
are loaded from a file of its own; none is shipped, since an invented one would look like law.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from billing.errors import OverCap, Refused
from billing.fees.caps import EVERYWHERE, fold
from billing.fees.entries import Entry
from billing.fees.errors import BadCatalogue
from billing.fees.items import LEVEL_NAMES, Level, Span
from billing.money import ZERO, Money

NATIONAL = Path(__file__).parent / "rates" / "national.json"
WHOLE_FILE = "(cả tệp)"
K12_MONTHS = 9
# Decree 238: these pay for the months actually studied, the others for nine a year.
BY_MONTHS_STUDIED = frozenset({Level.PRESCHOOL, Level.CONTINUING})
SUMMER = frozenset({6, 7, 8})
_MOST_MONTHS = 12
_OURS = frozenset({"viet nam", "vn", ""})
_UNDETERMINED = ("chua xac dinh", "khong quoc tich")  # of Vietnamese origin, nationality not determined

_Read = TypeVar("_Read")


class RateKind(StrEnum):
    """What the State pays for by the month."""

    TUITION = "tuition_compensation"  # cấp bù học phí: to a public school, for its exempt pupils
    SUPPORT = "private_support"  # hỗ trợ học phí: for pupils of private schools
    LEARNING = "learning_cost"  # hỗ trợ chi phí học tập: to poor, disabled and orphaned pupils


KIND_NAMES = {
    RateKind.TUITION: "Cấp bù học phí",
    RateKind.SUPPORT: "Hỗ trợ học phí trường ngoài công lập",
    RateKind.LEARNING: "Hỗ trợ chi phí học tập",
}


@dataclass(frozen=True, slots=True)
class CouncilRate:
    """Đồng for one pupil and month, for a level, zone and former area (``EVERYWHERE``: all), dated.

    ``months``: the most that are paid in a school year; None means every month studied.
    """

    kind: RateKind
    level: Level
    zone: str
    area: str
    amount: Money
    months: int | None
    legal_basis: str
    valid: Span

    def __post_init__(self) -> None:
        if self.amount <= ZERO:
            raise Refused(f"{KIND_NAMES[self.kind]}: mức phải lớn hơn 0 đ.", amount=self.amount)
        if self.months is not None and not 1 <= self.months <= _MOST_MONTHS:
            raise Refused(f"{KIND_NAMES[self.kind]}: số tháng một năm phải từ 1 đến 12.", months=self.months)
        if not self.legal_basis.strip():
            raise Refused(f"{KIND_NAMES[self.kind]}: thiếu căn cứ pháp lý.")

    @property
    def key(self) -> tuple[RateKind, Level, str, str]:
        """What two rates may not share on the same day."""
        return self.kind, self.level, self.zone, self.area


@dataclass(frozen=True, slots=True)
class Frame:
    """The Government's frame of tuition for a level; its ceiling may rise by a share each year after the first."""

    level: Level
    floor: Money
    ceiling: Money
    rise_permille: int
    rise_years: int
    legal_basis: str
    valid: Span

    def ceiling_on(self, day: date) -> Money:
        """Return the ceiling of the school year of a day, rounded down to the đồng."""
        years = min(max(first_year(day) - first_year(self.valid.start), 0), self.rise_years)
        return Money(self.ceiling.dong * (1000 + self.rise_permille) ** years // 1000**years)


@dataclass(frozen=True, slots=True)
class EntitlementClass:
    """A class of pupils whom the law grants learning-cost support."""

    code: str
    title: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class RateFile:
    """All that one file says. ``comments`` are pairs of entry and remark, for whoever looks at the file."""

    title: str
    frames: tuple[Frame, ...]
    rates: tuple[CouncilRate, ...]
    entitlements: tuple[EntitlementClass, ...]
    comments: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Where:
    """What decides which rate holds for a pupil: level, zone and former area of the school."""

    level: Level
    zone: str
    area: str


def first_year(day: date) -> int:
    """Return the calendar year in which the school year of a day began; it begins on 1 August."""
    return day.year if day.month >= 8 else day.year - 1  # noqa: PLR2004  August


@cache
def is_foreign(nationality: str) -> bool:
    """Tell whether a nationality is another than the Vietnamese or an undetermined one (resolution 217/2025/QH15)."""
    folded = fold(nationality)
    return folded not in _OURS and not any(words in folded for words in _UNDETERMINED)


def is_study_month(level: Level, month: date) -> bool:
    """Tell whether the State pays for this calendar month at all: not in summer where nine a year are paid for."""
    return level in BY_MONTHS_STUDIED or month.month not in SUMMER


def rate_for(kind: RateKind, where: Where, on: date, rates: Iterable[CouncilRate]) -> CouncilRate | None:
    """Return the rate that holds at a place on a day; the one that names zone and area goes before a general one."""
    fitting = [
        rate
        for rate in rates
        if rate.kind is kind
        and rate.level is where.level
        and rate.zone in (EVERYWHERE, where.zone)
        and rate.area in (EVERYWHERE, where.area)
        and rate.valid.holds(on)
    ]
    return max(fitting, key=lambda rate: (rate.zone != EVERYWHERE, rate.area != EVERYWHERE), default=None)


def check_rates(rates: Sequence[CouncilRate], frames: Sequence[Frame]) -> None:
    """Refuse rates outside the frame (``OverCap`` above, ``Refused`` below), and two for one place and day.

    Learning-cost support is a national amount and has no frame. A tuition rate whose level has no frame on its
    first day is refused too: nobody could say whether it is lawful.
    """
    seen: dict[tuple[RateKind, Level, str, str], list[CouncilRate]] = {}
    for rate in rates:
        if rate.kind is not RateKind.LEARNING:
            _check_frame(rate, frames)
        same = seen.setdefault(rate.key, [])
        if any(rate.valid.within(other.valid) for other in same):
            raise Refused(
                f"{KIND_NAMES[rate.kind]}: hai mức cùng hiệu lực cho cấp {LEVEL_NAMES[rate.level]}, vùng"
                f" {rate.zone or 'mọi vùng'}. Hãy ghi ngày hết hiệu lực cho mức cũ."
            )
        same.append(rate)


def _check_frame(rate: CouncilRate, frames: Sequence[Frame]) -> None:
    start = rate.valid.start
    frame = next((each for each in frames if each.level is rate.level and each.valid.holds(start)), None)
    what = f"{KIND_NAMES[rate.kind]} cấp {LEVEL_NAMES[rate.level]}: mức {rate.amount}"
    if frame is None:
        raise Refused(f"{what} từ {start:%d/%m/%Y} không có khung học phí nào để so. Hãy xem lại ngày hiệu lực.")
    ceiling = frame.ceiling_on(start)
    if rate.amount > ceiling:
        raise OverCap(f"{what} vượt trần {ceiling} của {frame.legal_basis}. Hãy xem lại số tiền.", cap=ceiling)
    if rate.amount < frame.floor:
        raise Refused(f"{what} thấp hơn sàn {frame.floor} của {frame.legal_basis}. Hãy xem lại số tiền.")


@cache
def national_rates() -> RateFile:
    """Return the frame, the learning-cost support and its classes, as shipped."""
    return parse_rates(NATIONAL.read_text(encoding="utf-8"), NATIONAL.name)


def parse_rates(text: str, file: str) -> RateFile:
    """Read the text of a file; raises ``BadCatalogue`` with file, entry and reason.

    Whether the rates stay within the frame is for ``check_rates`` to say: the frame stands in another file.
    """
    try:
        content = json.loads(text, object_pairs_hook=_refuse_repeats)
    except (ValueError, RecursionError) as error:
        raise BadCatalogue(file, WHOLE_FILE, f"không phải JSON đúng ({error})") from error
    return _Reader(Entry(file, WHOLE_FILE, content)).file()


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("một trường được ghi hai lần")
    return fields


class _Reader:
    """Reads the sections of one file; the sources are known to the sections that follow."""

    def __init__(self, top: Entry) -> None:
        self.top = top
        self.comments: list[tuple[str, str]] = [(WHOLE_FILE, top.comment)] if top.comment else []
        self.sources: dict[str, str] = {}

    def file(self) -> RateFile:
        """Read everything, sections in the order in which they build on each other."""
        title = self.top.text("title")
        self.sources = dict(self._section("sources", lambda entry: (entry.text("code"), entry.text("text"))))
        frames = [frame for found in self._section("frames", self._frames) for frame in found]
        rates = [rate for found in self._section("rates", self._rates) for rate in found]
        classes = self._section("entitlements", self._entitlement)
        self.top.done()
        return RateFile(title, tuple(frames), tuple(rates), tuple(classes), tuple(self.comments))

    def _section(self, name: str, read: Callable[[Entry], _Read]) -> list[_Read]:
        found = []
        for entry in self.top.entries(name):
            found.append(read(entry))
            entry.done()
            if entry.comment:
                self.comments.append((entry.name, entry.comment))
        return found

    def _basis(self, entry: Entry) -> str:
        code = entry.text("basis")
        if code not in self.sources:
            raise entry.bad(f"căn cứ {code!r} không có trong “sources”")
        return self.sources[code]

    def _levels(self, entry: Entry) -> list[Level]:
        levels = entry.choices("levels", Level)
        if not levels:
            raise entry.bad("thiếu “levels”")
        return sorted(levels)

    def _frames(self, entry: Entry) -> list[Frame]:
        levels = self._levels(entry)
        floor, ceiling = entry.money("floor"), entry.money("ceiling")
        if floor > ceiling:
            raise entry.bad("“floor” lớn hơn “ceiling”")
        rise, years = entry.whole("rise_permille", 0), entry.whole("rise_years", 0)
        basis, valid = self._basis(entry), entry.span()
        return [Frame(level, floor, ceiling, rise, years, basis, valid) for level in levels]

    def _rates(self, entry: Entry) -> list[CouncilRate]:
        kind, levels = entry.choice("kind", RateKind), self._levels(entry)
        zones = entry.texts("zones") or (EVERYWHERE,)
        area, amount, basis = entry.text("area", EVERYWHERE), entry.money("amount"), self._basis(entry)
        months, valid = entry.optional_whole("months"), entry.span()
        if not valid.whole_months():
            raise entry.bad("mức có hiệu lực từ ngày đầu tháng đến ngày cuối tháng")

        def made() -> list[CouncilRate]:
            return [
                CouncilRate(kind, level, zone, area, amount, _months(months, level), basis, valid)
                for level in levels
                for zone in zones
            ]

        return entry.made(made)

    def _entitlement(self, entry: Entry) -> EntitlementClass:
        return EntitlementClass(entry.text("code"), entry.text("title"), self._basis(entry))


def _months(given: int | None, level: Level) -> int | None:
    """Return the months a year as the file gives them, or as the decree does: nine, or those studied."""
    if given is not None:
        return given
    return None if level in BY_MONTHS_STUDIED else K12_MONTHS
