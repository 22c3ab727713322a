"""The premium of pupils' health insurance (BHYT) from its dated parameters (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from billing.errors import Refused
from billing.fees.items import Span
from billing.money import Money

_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class InsuranceRule:
    """Base wage, rate and State share, as they hold from one date to another.

    ``rate_permille`` of the base wage a month (45 = 4.5 %); the State pays ``state_percent`` of it.
    """

    base_wage: Money
    rate_permille: int
    state_percent: int
    legal_basis: str
    valid: Span


@dataclass(frozen=True, slots=True)
class Premium:
    """One pupil's premium for some months, and who pays it; gross = State + family."""

    months: int
    gross: Money
    state: Money
    family: Money
    legal_basis: str


def premium(rules: Iterable[InsuranceRule], on: date, months: int) -> Premium:
    """Return the premium for 1 to 12 months bought at a date.

    Raises ``Refused`` when no rule, or more than one, holds at the date: the base wage is never guessed.
    """
    if not 1 <= months <= _MONTHS_A_YEAR:
        raise Refused(f"BHYT mua từ 1 đến 12 tháng, không phải {months}.", months=months)
    holding = [rule for rule in rules if rule.valid.holds(on)]
    if len(holding) != 1:
        raise Refused(
            f"Ngày {on:%d/%m/%Y} có {len(holding)} bộ tham số BHYT; phải có đúng một. Hãy cập nhật mức lương cơ sở.",
            on=on,
        )
    rule = holding[0]
    thousandfold = rule.base_wage.dong * months * rule.rate_permille
    gross = Money((thousandfold + 500) // 1000)  # half a đồng is rounded up
    state = gross.percent(rule.state_percent)
    return Premium(months, gross, state, gross - state, rule.legal_basis)
