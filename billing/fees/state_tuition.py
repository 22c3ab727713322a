"""Tuition of public schools is what the State pays for by the council's rate: no price may say anything else (pure).

A bill that carries tuition books it as the State's, and a claim asks for the council's rate of every pupil and month.
Only where the price is that rate do the two tie, to the đồng (resolution 217/2025/QH15, decision 0046).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from billing.errors import Refused
from billing.fees.charges import PUBLIC_TUITION
from billing.fees.council_rates import CouncilRate, RateKind, is_study_month, rate_for
from billing.fees.items import LEVEL_NAMES, Group, Level, PartMonth, Price, Quantity, Span, Unit
from billing.fees.places import Located, where_on


def refuse_other_tuition(
    level: Level, prices: Iterable[Price], days: Span, places: Sequence[Located], rates: Sequence[CouncilRate]
) -> None:
    """Refuse a public school's tuition that the State would not pay for as it stands; the days must have an end.

    Raises ``Refused`` for a month in which the State pays for no tuition, and where the council's rate is known, for
    anything but that rate for every pupil and whole month. Where it is not known, the approver's yes is asked for.
    """
    for price in prices:
        if price.item.group is not Group.TUITION or (price.levels and level not in price.levels):
            continue
        common = price.valid.within(days)
        for month in common.months() if common else ():
            if PUBLIC_TUITION.valid.holds(month.start):
                _refuse_month(price, level, month.start, places, rates)


def _refuse_month(
    price: Price, level: Level, day: date, places: Sequence[Located], rates: Sequence[CouncilRate]
) -> None:
    what = f"{price.item.name} cấp {LEVEL_NAMES[level]} tháng {day:%m/%Y}"
    if not is_study_month(level, day):
        raise Refused(
            f"{what}: Nhà nước chi trả học phí trường công lập chín tháng một năm, không có tháng này. Hãy cho đơn giá"
            " kết thúc vào tháng 5.",
            item=price.item.code,
        )
    first = day.replace(day=1)  # as a claim looks it up
    rate = rate_for(RateKind.TUITION, where_on(places, level, first), first, rates)
    if rate is not None and not _is_rate(price, rate):
        raise Refused(
            f"{what}: trường công lập được cấp bù đúng mức của hội đồng nhân dân, {rate.amount}/tháng"
            f" ({rate.legal_basis}), cho mọi học sinh và trọn tháng. Hãy sửa đơn giá cho đúng mức này, không theo đăng"
            " ký, không tính nửa tháng.",
            item=price.item.code,
            rate=rate.amount,
            amount=price.amount,
        )


def _is_rate(price: Price, rate: CouncilRate) -> bool:
    """Tell whether a price comes to the rate for every pupil and month."""
    return (
        price.item.unit is Unit.MONTH
        and price.quantity is Quantity.FIXED
        and price.part_month is PartMonth.WHOLE
        and not price.item.opt_in
        and price.amount * price.count == rate.amount
    )
