"""Catalogues as data files: items, prices, reductions, caps, prohibitions and parameters, checked when read.

A file holds one JSON object: ``title``, ``sources`` (code to text of a legal basis) and any of the sections
``items``, ``prices``, ``reductions``, ``caps``, ``prohibitions``, ``insurance``. Every entry may carry a
``comment``; what nobody has compared with the official text says so there. The files lie in ``catalogues/``;
a school may load one of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from billing.errors import Refused
from billing.fees.caps import EVERYWHERE, Cap, Prohibition, Rulebook, fold, refuse_overlaps
from billing.fees.charges import Schedule
from billing.fees.entries import Entry
from billing.fees.errors import BadCatalogue
from billing.fees.insurance import InsuranceRule
from billing.fees.items import (
    CarryOver,
    FeeItem,
    Group,
    Level,
    Ownership,
    PartMonth,
    Payer,
    Price,
    Quantity,
    Reduction,
    Unit,
)
from billing.money import Money

SHIPPED = Path(__file__).parent / "catalogues"
RULE_FILES = ("national", "binh-phuoc-2025", "hcmc-2025")
WHOLE_FILE = "(cả tệp)"

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that one file says. ``comments`` are pairs of entry and remark, for the page that shows the file."""

    name: str
    title: str
    items: tuple[FeeItem, ...]
    prices: tuple[Price, ...]
    reductions: tuple[Reduction, ...]
    caps: tuple[Cap, ...]
    prohibitions: tuple[Prohibition, ...]
    insurance: tuple[InsuranceRule, ...]
    comments: tuple[tuple[str, str], ...]

    def item(self, code: str) -> FeeItem:
        """Return the item of this code; raises ``Refused`` if the file has none."""
        for item in self.items:
            if item.code == code:
                return item
        raise Refused(f"Danh mục {self.title} không có khoản thu {code}.", item=code)

    def schedule(self, ownership: Ownership) -> Schedule:
        """Return prices and general reductions as the rules take them."""
        return Schedule(ownership, self.prices, self.reductions)


def shipped_catalogue(name: str) -> Catalogue:
    """Return one of the files that come with the program, by its name without ending."""
    return read_catalogue(SHIPPED / f"{name}.json")


@cache
def shipped_rules() -> Rulebook:
    """Return all caps and prohibitions that come with the program."""
    files = [shipped_catalogue(name) for name in RULE_FILES]
    caps = tuple(cap for file in files for cap in file.caps)
    refuse_overlaps(caps)
    return Rulebook(caps, tuple(each for file in files for each in file.prohibitions))


def read_catalogue(path: Path) -> Catalogue:
    """Read a file; raises ``BadCatalogue`` with file, entry and reason."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCatalogue(path.name, WHOLE_FILE, "không mở được, hoặc không phải UTF-8") from error
    return parse_catalogue(text, path.name)


def parse_catalogue(text: str, file: str) -> Catalogue:
    """Read the text of a file; raises ``BadCatalogue`` with file, entry and reason."""
    try:
        content = json.loads(text, object_pairs_hook=_refuse_repeats)
    except (ValueError, RecursionError) as error:
        raise BadCatalogue(file, WHOLE_FILE, f"không phải JSON đúng ({error})") from error
    reader = _Reader(Entry(file, WHOLE_FILE, content))
    return reader.catalogue()


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("một trường được ghi hai lần")
    return fields


class _Reader:
    """Reads the sections of one file; items and sources are known to the sections that follow."""

    def __init__(self, top: Entry) -> None:
        self.top = top
        self.comments: list[tuple[str, str]] = [(WHOLE_FILE, top.comment)] if top.comment else []
        self.sources: dict[str, str] = {}
        self.items: dict[str, FeeItem] = {}

    def catalogue(self) -> Catalogue:
        """Read everything, sections in the order in which they build on each other."""
        title = self.top.text("title")
        self._section("sources", self._source)
        self._section("items", self._item)
        prices = self._section("prices", self._price)
        reductions = self._section("reductions", self._reduction)
        caps = [cap for caps in self._section("caps", self._caps) for cap in caps]
        self.top.made(lambda: refuse_overlaps(caps))
        prohibitions = self._section("prohibitions", self._prohibition)
        insurance = self._section("insurance", self._insurance)
        self.top.done()
        return Catalogue(
            name=self.top.file.removesuffix(".json"),
            title=title,
            items=tuple(self.items.values()),
            prices=tuple(prices),
            reductions=tuple(reductions),
            caps=tuple(caps),
            prohibitions=tuple(prohibitions),
            insurance=tuple(insurance),
            comments=tuple(self.comments),
        )

    def _section(self, name: str, read: Callable[[Entry], _Read]) -> list[_Read]:
        found = []
        for entry in self.top.entries(name):
            found.append(read(entry))
            entry.done()
            if entry.comment:
                self.comments.append((entry.name, entry.comment))
        return found

    def _source(self, entry: Entry) -> None:
        code = entry.text("code")
        if code in self.sources:
            raise entry.bad(f"căn cứ {code} được ghi hai lần")
        self.sources[code] = entry.text("text")

    def _basis(self, entry: Entry) -> str:
        code = entry.text("basis")
        if code not in self.sources:
            raise entry.bad(f"căn cứ {code!r} không có trong “sources”")
        return self.sources[code]

    def _item(self, entry: Entry) -> None:
        item = entry.made(
            lambda: FeeItem(
                code=entry.text("code"),
                name=entry.text("name"),
                group=entry.choice("group", Group),
                unit=entry.choice("unit", Unit),
                account=entry.text("account"),
                legal_basis=self._basis(entry),
                revenue_account=entry.text("revenue_account"),
                opt_in=entry.flag("opt_in"),
                carry_over=entry.choice("carry_over", CarryOver, CarryOver.NONE),
            )
        )
        if item.code in self.items:
            raise entry.bad(f"khoản thu {item.code} được ghi hai lần")
        self.items[item.code] = item

    def _known(self, entry: Entry, code: str) -> FeeItem:
        if code not in self.items:
            raise entry.bad(f"khoản thu {code!r} không có trong “items”")
        return self.items[code]

    def _price(self, entry: Entry) -> Price:
        item = self._known(entry, entry.text("item"))
        by_unit = Quantity.MEAL_DAYS if item.unit is Unit.MEAL_DAY else Quantity.FIXED
        return entry.made(
            lambda: Price(
                item=item,
                amount=entry.money("amount"),
                valid=entry.span(),
                quantity=entry.choice("quantity", Quantity, by_unit),
                count=entry.whole("count", 1),
                levels=entry.choices("levels", Level),
                grades=frozenset(entry.wholes("grades")),
                classes=frozenset(entry.texts("classes")),
                part_month=entry.choice("part_month", PartMonth, PartMonth.WHOLE),
            )
        )

    def _reduction(self, entry: Entry) -> Reduction:
        codes = entry.texts("items")
        for code in codes:
            self._known(entry, code)
        amount = entry.optional_whole("amount")
        return entry.made(
            lambda: Reduction(
                id=entry.text("code"),
                title=entry.text("title"),
                payer=entry.choice("payer", Payer),
                valid=entry.span(),
                legal_basis=self._basis(entry),
                percent=entry.optional_whole("percent"),
                amount=None if amount is None else Money(amount),
                items=frozenset(codes),
                groups=entry.choices("groups", Group),
                evidence=entry.text("evidence", ""),
                from_sibling=entry.whole("from_sibling", 1),
            )
        )

    def _caps(self, entry: Entry) -> list[Cap]:
        levels = entry.choices("levels", Level)
        zones = entry.texts("zones") or (EVERYWHERE,)
        if not levels:
            raise entry.bad("thiếu “levels”")
        code, area, unit = entry.text("item"), entry.text("area", EVERYWHERE), entry.choice("unit", Unit)
        amount, basis, valid = entry.money("amount"), self._basis(entry), entry.span()
        rise = entry.optional_whole("max_rise_percent")
        return [
            Cap(code, level, zone, area, unit, amount, basis, valid, rise) for level in sorted(levels) for zone in zones
        ]

    def _prohibition(self, entry: Entry) -> Prohibition:
        words = _folded(entry.texts("words"))
        if not words:
            raise entry.bad("thiếu “words”")
        unless = _folded(entry.texts("unless"))
        donations, tuition = entry.flag("except_donations"), entry.flag("except_tuition")
        return Prohibition(words, entry.text("article"), entry.span(), unless, donations, tuition)

    def _insurance(self, entry: Entry) -> InsuranceRule:
        rate, share = entry.whole("rate_permille"), entry.whole("state_percent")
        more, decision = entry.whole("province_percent", 0), entry.text("province_basis", "")
        if not (0 < rate <= 1000 and 0 <= share <= 100):  # noqa: PLR2004  a whole in thousandths, in hundredths
            raise entry.bad("tỷ lệ đóng phải từ 1 đến 1000 phần nghìn, phần Nhà nước từ 0 đến 100 %")
        wage, basis, valid = entry.money("base_wage"), self._basis(entry), entry.span()
        if not valid.whole_months():
            raise entry.bad("tham số BHYT có hiệu lực từ ngày đầu tháng đến ngày cuối tháng")
        return entry.made(lambda: InsuranceRule(wage, rate, share, basis, valid, more, decision))


def _folded(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(folded for text in texts if (folded := fold(text)))
