"""Whether the days for which something was billed still have a price: only then can be told what of it was used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlmodel import Session

from billing.bills.tables import BillLine
from billing.errors import Refused
from billing.fees.items import Price, Span
from billing.fees.schedule import read_prices
from billing.rounds.tables import BillingRound


def refuse_unpriced(session: Session, billing_round: BillingRound, lines: Iterable[BillLine]) -> None:
    """Raise ``Refused`` when a day for which one of these lines was billed has no price of its item any more.

    What was used is told by the rule that billed it. A price that was withdrawn or stopped since would make every meal
    one that nobody ate, and every month one of which nothing is left; another amount makes no difference.
    """
    period = Span(billing_round.period_from, billing_round.period_to)
    billed = _billed(lines, period)
    prices = read_prices(session, billing_round.school_id, period) if billed else ()
    for name, code, days in sorted(billed, key=lambda each: (each[1], each[2].start)):
        gaps = unpriced_days(days, (price for price in prices if price.item.code == code))
        if gaps:
            told = ", ".join(f"{gap.start:%d/%m/%Y}–{gap.end or date.max:%d/%m/%Y}" for gap in gaps)
            raise Refused(
                f"{name}: đơn giá đã thu của những ngày {told} nay không còn (đã rút hoặc đã dừng), nên không biết phần"
                " nào đã dùng. Hãy nhập lại đơn giá cho những ngày đó rồi làm tiếp.",
                item=code,
            )


def unpriced_days(days: Span, prices: Iterable[Price]) -> list[Span]:
    """Return the days for which none of these prices holds, first ones first."""
    left = [days]
    for price in prices:
        left = [rest for gap in left for rest in gap.without(price.valid)]
    return sorted(left, key=lambda gap: gap.start)


def _billed(lines: Iterable[BillLine], period: Span) -> set[tuple[str, str, Span]]:
    """Return name, code and days of the prices by which lines were billed, within the period."""
    found = {(line.item_name, line.item_code, price_days(line.because)) for line in lines}
    within = ((name, code, days.within(period)) for name, code, days in found if days is not None)
    return {(name, code, days) for name, code, days in within if days is not None}


def price_days(because: Mapping[str, Any]) -> Span | None:
    """Return the days of the price that charged a line (``because_of``); nothing where no price stood behind it."""
    first, last = because.get("from"), because.get("to")
    return Span(date.fromisoformat(first), date.fromisoformat(last) if last else None) if first else None
