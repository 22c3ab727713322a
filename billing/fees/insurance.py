"""The premium of pupils' health insurance (BHYT) from its dated parameters, and who pays how much of it (pure).

A month costs ``rate_permille`` of the base wage, rounded to whole đồng; each payer's share is a share of that month,
and some months cost that many times as much. So no sum of months, and no part of them given back, loses a đồng.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from billing.errors import Refused
from billing.fees.items import MAX_PERCENT, Span
from billing.money import Money

INSURANCE_ITEM = "BHYT"
"""The code of the item under which insurance is billed by pupil and months."""
STATE_PAYS = "Nhà nước hỗ trợ đóng BHYT học sinh"
PROVINCE_PAYS = "Ngân sách tỉnh hỗ trợ thêm BHYT học sinh"
_MONTHS_A_YEAR = 12


def is_insurance(code: str) -> bool:
    """Tell whether an item is the insurance, by pupil and months or (before that) at one price for all."""
    return code == INSURANCE_ITEM or code.startswith(f"{INSURANCE_ITEM}-")


@dataclass(frozen=True, slots=True)
class InsuranceRule:
    """Base wage, rate and others' shares, as they hold from one date to another (whole months).

    ``rate_permille`` of the base wage a month (45 = 4.5 %); the State pays ``state_percent`` of it, and the province
    ``province_percent`` more, by its own decision ``province_basis``.
    """

    base_wage: Money
    rate_permille: int
    state_percent: int
    legal_basis: str
    valid: Span
    province_percent: int = 0
    province_basis: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.state_percent + self.province_percent <= MAX_PERCENT:
            raise Refused("Phần Nhà nước và phần tỉnh hỗ trợ BHYT cộng lại không quá 100 %.")
        if self.province_percent and not self.province_basis.strip():
            raise Refused("Phần tỉnh hỗ trợ thêm BHYT phải có căn cứ (nghị quyết, quyết định của tỉnh).")


@dataclass(frozen=True, slots=True)
class Shares:
    """A premium by payer; gross = State + province + family."""

    gross: Money
    state: Money
    province: Money
    family: Money

    def times(self, months: int) -> Shares:
        """Return what some months come to."""
        return Shares(self.gross * months, self.state * months, self.province * months, self.family * months)


@dataclass(frozen=True, slots=True)
class Premium:
    """One pupil's premium for some months, and who pays it; gross = State + province + family."""

    months: int
    gross: Money
    state: Money
    province: Money
    family: Money
    legal_basis: str


def in_percent(permille: int) -> str:
    """Return a rate as people write it: ``4,5 %`` for 45."""
    return f"{permille // 10},{permille % 10} %"


def month_of(rule: InsuranceRule) -> Shares:
    """Return what one month costs, and whom; half a đồng is rounded up, and the family pays the rest."""
    gross = Money((rule.base_wage.dong * rule.rate_permille + 500) // 1000)
    state = gross.percent(rule.state_percent)
    # 1 % and 99 % of 50 đ are both rounded up: together they never exceed the whole.
    province = min(gross.percent(rule.province_percent), gross - state)
    return Shares(gross, state, province, gross - state - province)


def rule_on(rules: Iterable[InsuranceRule], on: date) -> InsuranceRule:
    """Return the one rule that holds; raises ``Refused`` when none or several do: the base wage is never guessed."""
    holding = [rule for rule in rules if rule.valid.holds(on)]
    if len(holding) != 1:
        raise Refused(
            f"Ngày {on:%d/%m/%Y} có {len(holding)} bộ tham số BHYT; phải có đúng một. Hãy cập nhật mức lương cơ sở.",
            on=on,
        )
    return holding[0]


def premium(rules: Iterable[InsuranceRule], on: date, months: int) -> Premium:
    """Return the premium for 1 to 12 months bought at a date. Who bought before the wage changed pays no difference.

    Raises ``Refused`` as ``rule_on`` does, and for another number of months.
    """
    if not 1 <= months <= _MONTHS_A_YEAR:
        raise Refused(f"BHYT mua từ 1 đến 12 tháng, không phải {months}.", months=months)
    rule = rule_on(rules, on)
    shares = month_of(rule).times(months)
    return Premium(months, shares.gross, shares.state, shares.province, shares.family, rule.legal_basis)
