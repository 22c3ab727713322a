"""What is typed about contracts, read; each field that cannot be says which it is (pure)."""

from __future__ import annotations

from datetime import date

from billing.contracts.terms import (
    PLANS,
    DepositTerms,
    Keep,
    LateTerms,
    PlanTerms,
    Step,
    Terms,
    WithdrawalTerms,
    check,
)
from billing.errors import Refused
from billing.money import Money
from service.pages.contract_views import TypedTerm, TypedVersion
from service.pages.typed import read_day, read_money


def whole(text: str, field: str) -> int:
    """Return a whole number from 0 on; raises ``Refused`` naming the field."""
    typed = text.strip()
    if not typed.isascii() or not typed.isdigit() or len(typed) > 4:  # noqa: PLR2004  no number here is longer
        raise Refused(f"{field}: hãy ghi một số nguyên, không phải “{typed}”.")
    return int(typed)


def needed_day(text: str, field: str) -> date:
    """Return a day; raises ``Refused`` naming the field when it is empty."""
    day = read_day(text)
    if day is None:
        raise Refused(f"Hãy chọn {field}.")
    return day


def terms_typed(typed: TypedVersion) -> Terms:
    """Return the terms of a typed version, checked; raises ``Refused`` with what is wrong."""
    keeps = tuple(
        Keep(whole(days, "Số ngày trước khai giảng"), whole(kept, "Tỷ lệ giữ lại"))
        for days, kept in zip(typed.deposit_days, typed.deposit_kept, strict=False)
        if days.strip()
    )
    steps = tuple(
        Step(whole(month, "Tháng học thứ"), whole(back, "Tỷ lệ trả lại"))
        for month, back in zip(typed.months, typed.back, strict=False)
        if month.strip()
    )
    plans = tuple(
        PlanTerms(plan, item.strip(), whole(percent or "0", "Tỷ lệ giảm"), instead.strip())
        for plan, item, percent, instead in zip(PLANS, typed.items, typed.percents, typed.instead, strict=False)
        if item.strip()
    )
    deposit = DepositTerms(read_money(typed.deposit), keeps) if typed.deposit.strip() else None
    late = None
    if typed.late_percent.strip():
        late = LateTerms(
            whole(typed.grace or "0", "Số ngày ân hạn"),
            read_money(typed.late_cap),
            whole(typed.late_percent, "Tỷ lệ phí chậm nộp"),
        )
    before = whole(typed.before_start or "0", "Tỷ lệ trả lại trước ngày học")
    return check(Terms(deposit, plans, WithdrawalTerms(before, typed.less_deposit == "1", steps), late))


def starts_typed(typed: TypedTerm) -> tuple[tuple[date, int], ...]:
    """Return the terms of an item paid ahead: the first day of each with its months."""
    return tuple(
        (
            needed_day(f"{start}-01" if len(start) == len("2025-09") else start, "tháng bắt đầu"),
            whole(months, "Số tháng"),
        )
        for start, months in zip(typed.starts, typed.months, strict=False)
        if start.strip()
    )


def sum_shown(text: str) -> Money | None:
    """Return the sum that stood on the page that was sent, if one did."""
    return Money(int(text)) if text.isascii() and text.isdigit() else None
