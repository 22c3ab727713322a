"""Cash for a deposit: a form is stored once, and of two at once the second is told so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from billing.contracts.deposits import Cash, take_cash
from billing.errors import Conflict, Refused
from billing.money import ZERO, Money
from billing.storage import new_id
from tests.billing.contracts.contract_world import DEPOSIT, JUNE, PrivateSchool


def test_a_form_is_stored_once_and_never_more_than_is_open(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session)
        bill, actor = school.sign(session, contract), school.billing.accountant
        half = Cash(Money(1_000_000), new_id())
        take_cash(session, contract, bill, half, actor, JUNE)
        with pytest.raises(Conflict, match="đã được ghi"):
            take_cash(session, contract, bill, half, actor, JUNE)
        for amount in (ZERO, Money(1_000_001)):
            with pytest.raises(Refused, match="từ 1 đ đến"):
                take_cash(session, contract, bill, Cash(amount, new_id()), actor, JUNE)
        take_cash(session, contract, bill, Cash(Money(1_000_000), new_id()), actor, JUNE)
        with pytest.raises(Conflict, match="đã nộp đủ"):
            take_cash(session, contract, bill, Cash(Money(1_000_000), new_id()), actor, JUNE)
        assert school.bills_of(session, contract.pupil_id)[0].paid == DEPOSIT


def test_of_two_at_once_one_is_stored(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session)
        bill = school.sign(session, contract)

    def pay(_: int) -> str:
        try:
            with school.open() as session:
                take_cash(session, contract, bill, Cash(DEPOSIT, new_id()), school.billing.accountant, JUNE)
        except Conflict as error:
            return error.message
        return "stored"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(pay, (1, 2)))
    assert answers == ["Tiền giữ chỗ này đã nộp đủ. Hãy tải lại trang.", "stored"]
