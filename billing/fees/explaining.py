"""Why a line of a bill is what it is, in two views and two languages (pure).

*Full*: the price and its rule, quantity × price, who carries which share on which legal basis and evidence, what is
left to the family, and what credit notes lowered since, with their reasons. For the accountant, the approver, the
auditor, and a guardian after a one-time code.

*Plain*: what is to be paid for each item, and nothing from which a reduction's class, share or basis could be read: a
fully reduced item is left out, a reduced one shows its net without quantity and price. Pages behind a link, slips,
messages and receipts show this one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal, Protocol

from billing.fees.charges import Because, ChargeLine, MonthFacts
from billing.fees.items import LEVEL_NAMES, UNIT_NAMES, Level, Payer, Quantity, Span, Unit
from billing.money import Money

Language = Literal["vi", "en"]

UNITS_IN_ENGLISH = {
    Unit.MONTH: "month",
    Unit.MEAL_DAY: "meal day",
    Unit.HOUR: "hour",
    Unit.DAY: "day",
    Unit.LESSON: "lesson",
    Unit.KM: "km",
    Unit.TERM: "term",
    Unit.YEAR: "school year",
    Unit.ONCE: "time",
}
PAYER_NAMES: Mapping[Payer, tuple[str, str]] = {
    Payer.FAMILY: ("Gia đình", "The family"),
    Payer.STATE: ("Nhà nước", "The State"),
    Payer.SCHOOL: ("Nhà trường", "The school"),
    Payer.DONOR: ("Nhà tài trợ", "A donor"),
}
_RULES: Mapping[Quantity, tuple[str, str]] = {
    Quantity.FIXED: ("số lượng theo đơn giá", "quantity as set with the price"),
    Quantity.MEAL_DAYS: ("số lượng theo ngày ăn của trẻ trong kỳ", "counted by the child's meal days in the period"),
    Quantity.REGISTERED: ("số lượng theo đăng ký của gia đình", "quantity as registered by the family"),
}


class Payable(Protocol):
    """A line as a bill holds it; rows of ``bill_lines`` are such."""

    @property
    def item_name(self) -> str:
        """The item's legal name."""

    @property
    def unit(self) -> str:
        """One of the units of ``items.Unit``."""

    @property
    def quantity(self) -> int:
        """How many units."""

    @property
    def unit_price(self) -> Money:
        """The price of one."""

    @property
    def gross(self) -> Money:
        """Quantity × price."""

    @property
    def family_share(self) -> Money:
        """What is left to the family."""

    @property
    def because(self) -> Mapping[str, Any]:
        """What ``because_of`` gave when the line was written; empty for lines that are older."""


@dataclass(frozen=True, slots=True)
class ShareFacts:
    """What another payer takes of a line, and why."""

    title: str
    payer: Payer
    amount: Money
    legal_basis: str
    percent: int | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """What a credit note lowered a line by, on which day and why; ``state``: what is no longer asked of the State."""

    day: date
    family: Money
    state: Money
    reason: str


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line with all that the full view says of it; a ``Payable`` too."""

    item_name: str
    unit: str
    quantity: int
    unit_price: Money
    gross: Money
    family_share: Money
    because: Mapping[str, Any] = field(default_factory=dict)
    shares: tuple[ShareFacts, ...] = ()
    legal_basis: str = ""
    credits: tuple[CreditFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class PlainLine:
    """What a family reads of one item: name, what is to be paid, and ``22 ngày ăn × 28.000 đ`` where that may be."""

    name: str
    amount: Money
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The full view of one line, as sentences in the order in which a person would tell them."""

    name: str
    price: str
    months: tuple[str, ...]
    formula: str
    shares: tuple[str, ...]
    family: str
    gave_way: tuple[str, ...] = ()
    lowered: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it."""
        return (self.price, *self.months, self.formula, *self.shares, *self.gave_way, self.family, *self.lowered)


def plain(line: Payable, language: Language = "vi", *, amount: Money | None = None) -> PlainLine | None:
    """Return the plain view of one line; None when nothing of it is to be paid.

    ``amount``: what is asked of it now, or was paid of it, where that is another sum than the family's share (a credit
    note, a part payment).
    """
    shown = line.family_share if amount is None else amount
    return PlainLine(line.item_name, shown, plain_detail(line, language, amount=shown)) if shown else None


def plain_lines(lines: Iterable[Payable], language: Language = "vi") -> tuple[PlainLine, ...]:
    """Return the plain view of a bill's lines, in their order."""
    return tuple(shown for line in lines if (shown := plain(line, language)) is not None)


def plain_detail(line: Payable, language: Language = "vi", *, amount: Money | None = None) -> str:
    """Return ``22 ngày ăn × 28.000 đ`` or ``nửa tháng``; nothing where somebody else's share would show through."""
    if line.family_share != line.gross or amount not in (None, line.gross):
        return ""
    half = line.because.get("part") == "half"
    if line.quantity == 1:
        return _say(language, "nửa tháng", "half a month") if half else ""
    price = _say(language, f"nửa giá {line.unit_price}", f"half price {line.unit_price}") if half else line.unit_price
    return f"{_count(line.quantity, line.unit, language)} × {price}"


def explain(line: LineFacts, language: Language = "vi") -> Explanation:
    """Return the full view of one line."""
    unit = unit_name(line.unit, language)
    nothing = not line.family_share
    return Explanation(
        name=line.item_name,
        price=_price(line, unit, language),
        months=tuple(_month(each, line.unit, language) for each in line.because.get("months", ())),
        formula=f"{line.unit_price} × {_count(line.quantity, line.unit, language)} = {line.gross}.",
        shares=tuple(_share(share, language) for share in line.shares),
        family=_say(language, "Gia đình không phải nộp.", "The family pays nothing.")
        if nothing
        else _say(language, f"Gia đình nộp {line.family_share}.", f"The family pays {line.family_share}."),
        gave_way=tuple(_gave_way(*each, language=language) for each in line.because.get("gave_way", ())),
        lowered=tuple(_lowered(each, language) for each in line.credits),
    )


def line_facts(line: ChargeLine) -> LineFacts:
    """Return a calculated line as the views take it, before a bill is written (for the preview)."""
    return LineFacts(
        item_name=line.item.name,
        unit=line.item.unit.value,
        quantity=line.quantity,
        unit_price=line.unit_price,
        gross=line.gross,
        family_share=line.family_share,
        because=because_of(line.because),
        shares=tuple(
            ShareFacts(cause.title, cause.payer, each.amount, cause.legal_basis, cause.percent, cause.evidence)
            for each in line.reductions
            for cause in (each.reduction,)
        ),
        legal_basis=line.item.legal_basis,
    )


def because_of(because: Because) -> dict[str, Any]:
    """Return the facts as plain JSON, kept small: what is usual is left out.

    ``rule``; ``from`` and ``to`` of the price; ``for``: levels, grades and classes it is limited to; ``part``: half;
    ``months``: lists of month, units and, where the pupil was not there all of it, first and last day; ``gave_way``:
    lists of a reduction for paying ahead that did not count, the one that did, and the months.
    """
    facts: dict[str, Any] = {"rule": because.rule.value, "from": because.price_days.start.isoformat()}
    if because.price_days.end is not None:
        facts["to"] = because.price_days.end.isoformat()
    if because.audience:
        facts["for"] = list(because.audience)
    if because.half:
        facts["part"] = "half"
    facts["months"] = [_month_list(each) for each in because.months]
    if because.gave_way:
        facts["gave_way"] = [[each.title, each.to, list(each.months)] for each in because.gave_way]
    return facts


@lru_cache(maxsize=4096)
def because_json(because: Because) -> str:
    """Return the facts as JSON text without blanks; pupils who are charged alike share it."""
    return json.dumps(because_of(because), ensure_ascii=False, separators=(",", ":"))


def unit_name(unit: str, language: Language = "vi") -> str:
    """Return a unit as people say it."""
    return _say(language, UNIT_NAMES[Unit(unit)], UNITS_IN_ENGLISH[Unit(unit)])


def _say(language: Language, vietnamese: str, english: str) -> str:
    return english if language == "en" else vietnamese


def _count(quantity: int, unit: str, language: Language) -> str:
    name = unit_name(unit, language)
    plural = "s" if language == "en" and quantity != 1 and unit != Unit.KM else ""
    return f"{quantity} {name}{plural}"


def _price(line: LineFacts, unit: str, language: Language) -> str:
    because = line.because
    if because.get("part") == "half":
        parts = [_say(language, f"Nửa giá {line.unit_price}/{unit}", f"Half the price, {line.unit_price} a {unit}")]
    else:
        parts = [_say(language, f"Đơn giá {line.unit_price}/{unit}", f"Price {line.unit_price} a {unit}")]
    if "from" in because:
        parts.append(_days(Span(_day(because["from"]), _day(because["to"]) if "to" in because else None), language))
    if because.get("for"):
        named = ", ".join(_audience(each, language) for each in because["for"])
        parts.append(_say(language, "cho ", "for ") + named)
    if "rule" in because:
        vietnamese, english = _RULES[Quantity(because["rule"])]
        parts.append(_say(language, vietnamese, english))
    if line.legal_basis:
        parts.append(_say(language, "theo ", "by ") + line.legal_basis)
    return ", ".join(parts) + "."


def _audience(named: str, language: Language) -> str:
    kind, _, value = named.partition(":")
    if kind == "level":
        return _say(language, f"cấp {LEVEL_NAMES[Level(value)]}", value.replace("_", " "))
    if kind == "grade":
        return _say(language, f"khối {value}", f"grade {value}")
    return _say(language, f"lớp {value}", f"class {value}")


def _days(days: Span, language: Language) -> str:
    start = _say(language, f"hiệu lực từ {days.start:%d/%m/%Y}", f"valid from {days.start:%d/%m/%Y}")
    return start if days.end is None else start + _say(language, " đến ", " to ") + f"{days.end:%d/%m/%Y}"


def _month_list(month: MonthFacts) -> list[str | int | None]:
    if month.first is None and month.last is None:
        return [month.month, month.units]
    first, last = (None if day is None else day.isoformat() for day in (month.first, month.last))
    return [month.month, month.units, first, last]


def _month(facts: Sequence[Any], unit: str, language: Language) -> str:
    year, month = str(facts[0]).split("-")
    name = _say(language, f"Tháng {month}/{year}", f"{month}/{year}")
    said = f"{name}: {_count(int(facts[1]), unit, language)}"
    first, last = facts[2:] if len(facts) > 2 else (None, None)  # noqa: PLR2004  month, units, first, last
    if first is not None:
        said += _say(language, f", từ ngày {_day(first):%d/%m}", f", from {_day(first):%d/%m}")
    if last is not None:
        said += _say(language, f", đến ngày {_day(last):%d/%m}", f", until {_day(last):%d/%m}")
    return said + "."


def _share(share: ShareFacts, language: Language) -> str:
    who = _say(language, *PAYER_NAMES[share.payer])
    part = "" if share.percent is None else f" {share.percent} %"
    said = _say(
        language,
        f"{who} chịu{part}: {share.amount} ({share.title}; căn cứ: {share.legal_basis}",
        f"{who} carries{part}: {share.amount} ({share.title}; legal basis: {share.legal_basis}",
    )
    if share.evidence:
        said += _say(language, f"; minh chứng: {share.evidence}", f"; evidence: {share.evidence}")
    return said + ")."


def _lowered(credit: CreditFacts, language: Language) -> str:
    parts = []
    if credit.family:
        parts.append(_say(language, f"gia đình bớt {credit.family}", f"{credit.family} less for the family"))
    if credit.state:
        parts.append(_say(language, f"Nhà nước bớt {credit.state}", f"{credit.state} less of the State"))
    amounts, day = ", ".join(parts), f"{credit.day:%d/%m/%Y}"
    return _say(
        language,
        f"Giấy ghi giảm ngày {day}: {amounts}. Lý do: {credit.reason}",
        f"Credit note of {day}: {amounts}. Reason: {credit.reason}",
    )


def _gave_way(title: str, to: str, months: Sequence[str], *, language: Language) -> str:
    named = ", ".join(f"{month[5:]}/{month[:4]}" for month in months)
    return _say(
        language,
        f"Không tính thêm “{title}” tháng {named}: mỗi khoản chỉ tính một diện nộp trước, đã tính “{to}” có lợi hơn"
        " hoặc bằng cho gia đình.",
        f"“{title}” does not count in {named}: of reductions for paying ahead one counts on an item, and “{to}” gives"
        " the family as much or more.",
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)
