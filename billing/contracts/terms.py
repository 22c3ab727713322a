"""The terms of a contract of a private school, checked when they are read (pure).

A school writes its own rules; the law leaves place deposits, prepaid terms, withdrawal and late charges of private
schools to the contract. So none of these numbers is ours: they are parameters of a dated version, and whoever agreed to
a version keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from billing.errors import Refused
from billing.money import ZERO, Money

PLANS = {"month": "", "quarter": "QUY", "half": "NUANAM", "year": "CANAM"}
"""The ways to pay, each with the kind of reduction that paying so early is granted as."""
LATE_STEP = Money(1_000)
"""A late charge is counted in whole thousands, rounded down: the quantity on the bill times this price."""
MOST_LATE = Money(1_000_000)
MOST_DEPOSIT = Money(100_000_000)
_ALL = 100
_MOST_DAYS = 366
_MOST_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Keep:
    """Told ``days`` or more before the start, ``percent`` of the deposit is kept."""

    days: int
    percent: int


@dataclass(frozen=True, slots=True)
class DepositTerms:
    """A place deposit; told later than every step says, all of it is kept."""

    amount: Money
    keeps: tuple[Keep, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Who leaves in the school month ``through`` of the contract or earlier gets ``percent`` of the months left."""

    through: int
    percent: int


@dataclass(frozen=True, slots=True)
class WithdrawalTerms:
    """What of a prepaid term comes back; after the last step nothing does.

    ``before_start``: percentage of all that was billed; ``less_deposit``: less the place deposit.
    """

    before_start: int
    less_deposit: bool
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class LateTerms:
    """A late charge for each started month (30 days) after ``grace`` days, of one bill, ``cap`` in all.

    Either ``percent`` of what is open of the bill without its late charges, or an ``amount``.
    """

    grace: int
    cap: Money
    percent: int = 0
    amount: Money = ZERO


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A way to pay: the item it is billed under, and the discount in hundredths for paying so early.

    ``instead``: the monthly item that is not charged meanwhile, where the term is paid ahead.
    """

    plan: str
    item: str
    percent: int = 0
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything a contract says about money."""

    deposit: DepositTerms | None
    plans: tuple[PlanTerms, ...]
    withdrawal: WithdrawalTerms
    late: LateTerms | None = None

    def way(self, plan: str) -> PlanTerms:
        """Return a way to pay; raises ``Refused`` for one that is not offered."""
        for each in self.plans:
            if each.plan == plan:
                return each
        raise Refused("Mẫu hợp đồng không có cách đóng này. Hãy chọn cách khác.", plan=plan)


def check(terms: Terms) -> Terms:
    """Return the terms; raises ``Refused`` for what makes no sense, saying where and what to do."""
    if not terms.plans or any(each.plan not in PLANS or not each.item for each in terms.plans):
        raise Refused("Hãy chọn ít nhất một cách đóng (tháng, quý, học kỳ, cả năm), mỗi cách một khoản thu.")
    if len({each.plan for each in terms.plans}) != len(terms.plans):
        raise Refused("Mỗi cách đóng chỉ ghi một khoản thu.")
    if any(not 0 <= each.percent < _ALL or (each.percent and not PLANS[each.plan]) for each in terms.plans):
        raise Refused("Tỷ lệ giảm khi đóng trước phải từ 0 đến 99 %; đóng theo tháng không giảm.")
    if terms.deposit is not None:
        _check_deposit(terms.deposit)
    _check_withdrawal(terms.withdrawal, terms.deposit)
    if terms.late is not None:
        _check_late(terms.late)
    return terms


def as_json(terms: Terms) -> dict[str, Any]:
    """Return terms as they are stored; amounts in đồng."""
    stored: dict[str, Any] = _plain(asdict(terms))
    return stored


def from_json(stored: Mapping[str, Any]) -> Terms:
    """Return stored terms; raises ``Refused`` as ``check`` does."""
    deposit, late, withdrawal = stored["deposit"], stored["late"], stored["withdrawal"]
    return check(
        Terms(
            deposit=None
            if deposit is None
            else DepositTerms(Money(deposit["amount"]), tuple(Keep(**each) for each in deposit["keeps"])),
            plans=tuple(PlanTerms(**each) for each in stored["plans"]),
            withdrawal=WithdrawalTerms(
                withdrawal["before_start"],
                withdrawal["less_deposit"],
                tuple(Step(**each) for each in withdrawal["steps"]),
            ),
            late=None
            if late is None
            else LateTerms(late["grace"], Money(late["cap"]), late["percent"], Money(late["amount"])),
        )
    )


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    if isinstance(value, dict):
        return value["dong"] if value.keys() == {"dong"} else {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _check_deposit(deposit: DepositTerms) -> None:
    if not ZERO < deposit.amount <= MOST_DEPOSIT:
        raise Refused(f"Tiền giữ chỗ phải lớn hơn 0 đ và không quá {MOST_DEPOSIT}.")
    days = [keep.days for keep in deposit.keeps]
    if days != sorted(set(days), reverse=True) or any(not 0 <= each <= _MOST_DAYS for each in days):
        raise Refused(f"Các mốc giữ chỗ phải giảm dần số ngày trước khai giảng, từ {_MOST_DAYS} về 0, không trùng.")
    percents = [keep.percent for keep in deposit.keeps]
    if percents != sorted(percents) or any(not 0 <= each <= _ALL for each in percents):
        raise Refused("Càng báo muộn càng giữ nhiều: tỷ lệ giữ lại phải từ 0 đến 100 % và không giảm.")


def _check_withdrawal(terms: WithdrawalTerms, deposit: DepositTerms | None) -> None:
    if not 0 <= terms.before_start <= _ALL:
        raise Refused("Tỷ lệ trả lại khi rút trước ngày học phải từ 0 đến 100 %.")
    if terms.less_deposit and deposit is None:
        raise Refused("Mẫu hợp đồng không có tiền giữ chỗ nên không thể trừ tiền giữ chỗ khi rút.")
    months = [step.through for step in terms.steps]
    if months != sorted(set(months)) or any(not 1 <= each <= _MOST_MONTHS for each in months):
        raise Refused("Các mốc rút học phải tăng dần theo tháng học thứ 1 đến thứ 12, không trùng.")
    percents = [terms.before_start, *(step.percent for step in terms.steps)]
    if percents != sorted(percents, reverse=True) or any(not 0 <= each <= _ALL for each in percents):
        raise Refused("Càng rút muộn càng trả lại ít: tỷ lệ trả lại phải từ 0 đến 100 % và không tăng.")


def _check_late(late: LateTerms) -> None:
    if bool(late.percent) == bool(late.amount) or not 0 <= late.percent <= _ALL or late.amount < ZERO:
        raise Refused("Phí chậm nộp ghi theo tỷ lệ (1–100 %) hoặc theo số tiền, chỉ một trong hai.")
    if not 0 <= late.grace <= _MOST_DAYS:
        raise Refused(f"Số ngày ân hạn phải từ 0 đến {_MOST_DAYS}.")
    if not LATE_STEP <= late.cap <= MOST_LATE:
        raise Refused(f"Mức trần phí chậm nộp của một thông báo phải từ {LATE_STEP} đến {MOST_LATE}.")
