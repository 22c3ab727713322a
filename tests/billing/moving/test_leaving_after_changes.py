"""What was changed since the bills were issued does not change what a leaver did not use of them."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import Session, col, select

from billing.errors import Refused
from billing.fees.items import Group
from billing.fees.pricing import withdraw_price
from billing.fees.reducing import NewReduction, approve_reduction, enter_reduction
from billing.fees.tables import FeeItem, FeePrice
from billing.money import Money
from billing.moving.leaving import preview_leaving
from tests.billing.credits.credit_world import School
from tests.billing.moving.test_leaving import LATER, plan


def told(school: School, session: Session) -> tuple[list[Money], Money, Money]:
    """Return what each bill falls by, what is no longer to be paid and what becomes credit."""
    shown = preview_leaving(session, school.id, plan(school), LATER)
    return [bill.family for bill in shown.bills], shown.off_rest, shown.to_credit


def test_a_reduction_approved_since_takes_nothing_from_what_was_not_used(school: School) -> None:
    with school.open() as session:
        before = told(school, session)
        new = NewReduction(
            plan(school).enrolment_id,
            "TRUONGGIAM",
            date(2025, 11, 1),
            "QĐ 5/2025",
            percent=100,
            groups=frozenset({Group.SERVICE, Group.AGREED}),
        )
        made = enter_reduction(session, school.billing.school, new, school.billing.accountant, LATER)
        approve_reduction(session, school.id, made.id, school.billing.approver, LATER)
        assert told(school, session) == before


@pytest.mark.parametrize("code", ["TIENAN", "NUOCUONG"])
def test_a_price_withdrawn_since_is_asked_for_before_anything_is_given_back(school: School, code: str) -> None:
    with school.open() as session:
        told(school, session)
        prices = select(FeePrice).join(FeeItem, col(FeeItem.id) == col(FeePrice.item_id)).where(FeeItem.code == code)
        for each in session.exec(prices).all():
            withdraw_price(session, school.billing.school, each.id or 0, school.billing.accountant, LATER, "nhập nhầm")
        with pytest.raises(Refused, match=r"nay không còn.*nhập lại đơn giá"):
            told(school, session)
