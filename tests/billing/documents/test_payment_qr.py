"""The QR of a request pays the right account, the right amount, with the reference as its memo."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.documents.payment_qr import (
    LONGEST_CODE,
    MEMO_LIMIT,
    MOST_AT_ONCE,
    memo_for,
    number_for,
    payload_for,
    read_memo_code,
)
from billing.documents.vietqr import Initiation, decode
from billing.errors import Refused
from billing.money import Money
from billing.payments.reference import HOW_MANY, find, reference_for

KEY = bytes(range(32))


@dataclass
class Account:
    bank_bin: str = "970436"
    number: str = "1012000001"
    can_qr: bool = True
    only_virtual: bool = False
    memo_code: str | None = None


@dataclass
class Request:
    reference: str = reference_for(1, KEY)
    virtual_account: str | None = None


def test_account_amount_and_reference_are_in_it() -> None:
    payload = payload_for(Account(), Request(), Money(1_203_950))
    assert payload is not None
    qr = decode(payload)
    assert (qr.bin, qr.account, qr.amount, qr.memo) == (
        "970436",
        "1012000001",
        Money(1_203_950),
        Request().reference,
    )
    assert qr.initiation is Initiation.DYNAMIC


def test_a_virtual_account_is_paid_instead_of_the_schools() -> None:
    payload = payload_for(Account(), Request(virtual_account="96247ABC01"), Money(1))
    assert payload is not None
    assert decode(payload).account == "96247ABC01"


def test_a_providers_code_stands_before_the_reference() -> None:
    account = Account(memo_code="SEVQR")
    payload = payload_for(account, Request(), Money(1))
    assert payload is not None
    assert decode(payload).memo == memo_for(account, Request()) == f"SEVQR {Request().reference}"


@pytest.mark.parametrize("rest", [0, -1])
def test_nothing_due_is_no_qr(rest: int) -> None:
    assert payload_for(Account(), Request(), Money(rest)) is None


def test_an_account_that_takes_no_qr_has_none() -> None:
    assert payload_for(Account(can_qr=False), Request(), Money(1)) is None


def test_one_transfer_stays_below_the_limit() -> None:
    payload = payload_for(Account(), Request(), Money(800_000_000))
    assert payload is not None
    assert decode(payload).amount == MOST_AT_ONCE == Money(499_999_999)


@given(st.integers(0, HOW_MANY - 1), st.integers(1, 499_999_999), st.sampled_from([None, "TKP9624", "ABCDEFGHIJKLM"]))
def test_every_reference_is_found_again_in_its_memo(number: int, dong: int, code: str | None) -> None:
    request = Request(reference=reference_for(number, KEY))
    payload = payload_for(Account(memo_code=code), request, Money(dong))
    assert payload is not None
    qr = decode(payload)
    assert qr.amount == Money(dong)
    assert find(qr.memo or "").exact == (request.reference,)


def test_without_a_number_of_its_own_a_child_has_no_qr_where_only_numbers_tell() -> None:
    account = Account(only_virtual=True)
    assert payload_for(account, Request(), Money(1)) is None
    assert number_for(account, Request()) == ""
    assert number_for(account, Request(virtual_account="96247ABC01")) == "96247ABC01"
    assert number_for(Account(), Request()) == "1012000001"


@pytest.mark.parametrize("typed", ["A" * 14, "SE-VQR", "SE VQR", "MÃ", "FWX", "AFW", "FW"])
def test_a_code_that_leaves_no_room_for_the_reference_or_looks_like_one_is_refused(typed: str) -> None:
    with pytest.raises(Refused):
        read_memo_code(typed)


def test_a_code_is_told_to_be_too_long_with_what_is_allowed() -> None:
    with pytest.raises(Refused, match="nhiều nhất 13 ký tự"):
        read_memo_code("A" * 14)


def test_no_code_is_none_and_small_letters_are_raised() -> None:
    assert read_memo_code("  ") is None
    assert read_memo_code(" sevqr ") == "SEVQR"


@given(st.integers(0, HOW_MANY - 1), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=LONGEST_CODE))
def test_every_code_that_is_taken_fits_and_lets_the_reference_be_found(number: int, typed: str) -> None:
    try:
        code = read_memo_code(typed)
    except Refused:
        assert "FW" in typed
        return
    request = Request(reference=reference_for(number, KEY))
    payload = payload_for(Account(memo_code=code), request, Money(1))
    assert payload is not None
    memo = decode(payload).memo or ""
    assert len(memo) <= MEMO_LIMIT
    assert find(memo).exact == (request.reference,)
