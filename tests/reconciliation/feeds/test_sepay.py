"""Tests of the SePay feed on its published payloads: what is believed, what is read, what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.errors import (
    CallbackRefused,
    CallbackUnreadable,
    SignatureExpired,
    SignatureMissing,
    SignatureWrong,
)
from reconciliation.feeds.base import Kind
from reconciliation.feeds.sepay import API_KEY, HMAC, SepayFeed, sign
from reconciliation.matching import Direction
from tests.reconciliation.feeds.sepay_published import (
    LARAVEL,
    SECRET,
    SIGNATURE,
    SIGNED_BODY,
    TIMESTAMP,
    documented,
)

SIGNED_AT = datetime.fromtimestamp(int(TIMESTAMP), tz=UTC)
HEADERS = {"X-SePay-Signature": SIGNATURE, "X-SePay-Timestamp": TIMESTAMP}
KEY = "khoa-cua-truong"


@pytest.fixture
def signed() -> SepayFeed:
    return SepayFeed(HMAC, [SECRET])


@pytest.fixture
def keyed() -> SepayFeed:
    return SepayFeed(API_KEY, [KEY])


def test_the_documented_callback_is_read(keyed: SepayFeed) -> None:
    (transfer,) = keyed.read(documented())

    assert (transfer.provider, transfer.provider_id) == ("sepay", "92704")
    assert (transfer.account, transfer.virtual_account) == ("0123499999", None)
    assert (transfer.direction, transfer.amount) == (Direction.IN, Money(2_277_000))
    assert (transfer.memo, transfer.bank_reference) == ("payment content", "MBVCB.3278907687")
    assert transfer.time == datetime(2023, 3, 25, 7, 2, 37, tzinfo=UTC)
    assert transfer.kind is Kind.TRANSFER


def test_the_laravel_example_is_money_out(keyed: SepayFeed) -> None:
    (transfer,) = keyed.read(json.dumps(LARAVEL).encode())

    assert (transfer.direction, transfer.amount) == (Direction.OUT, Money(1_700_000))
    assert transfer.time == datetime(2024, 5, 25, 14, 11, 2, tzinfo=UTC)


def test_the_answers_are_fixed_bytes(keyed: SepayFeed) -> None:
    assert (keyed.accepted(b"").status, keyed.accepted(b"").body) == (200, b'{"success": true}')
    assert keyed.refused.status == 401


def test_the_signature_verifies_in_any_case_of_header_names(signed: SepayFeed) -> None:
    signed.verify(SIGNED_BODY, HEADERS, SIGNED_AT)
    signed.verify(SIGNED_BODY, {name.lower(): value for name, value in HEADERS.items()}, SIGNED_AT)


@given(st.integers(0, len(SIGNED_BODY) * 8 - 1))
def test_any_flipped_bit_is_noticed(bit: int) -> None:
    touched = bytearray(SIGNED_BODY)
    touched[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureWrong):
        SepayFeed(HMAC, [SECRET]).verify(bytes(touched), HEADERS, SIGNED_AT)


@pytest.mark.parametrize(
    "headers",
    [
        {**HEADERS, "X-SePay-Timestamp": "1700000001"},
        {**HEADERS, "X-SePay-Signature": SIGNATURE[:-1] + "2"},
    ],
)
def test_a_touched_timestamp_or_signature_is_wrong(signed: SepayFeed, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureWrong):
        signed.verify(SIGNED_BODY, headers, SIGNED_AT)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-SePay-Timestamp": TIMESTAMP},
        {"X-SePay-Signature": SIGNATURE},
        {**HEADERS, "X-SePay-Signature": SIGNATURE.removeprefix("sha256=")},
        {**HEADERS, "X-SePay-Signature": SIGNATURE[:-1]},
        {**HEADERS, "X-SePay-Signature": ""},
        {**HEADERS, "X-SePay-Timestamp": "-1"},
        {**HEADERS, "X-SePay-Timestamp": "1700000000.0"},
        {**HEADERS, "X-SePay-Timestamp": "١٧٠٠٠٠٠٠٠٠"},
        {**HEADERS, "X-SePay-Timestamp": "9" * 400},
        {**HEADERS, "x-sepay-signature": SIGNATURE},
        {"Authorization": f"Apikey {SECRET}"},
    ],
)
def test_absent_malformed_double_or_foreign_schemes_are_refused(signed: SepayFeed, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureMissing):
        signed.verify(SIGNED_BODY, headers, SIGNED_AT)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_believed(signed: SepayFeed, seconds: int) -> None:
    signed.verify(SIGNED_BODY, HEADERS, SIGNED_AT + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86400])
def test_an_older_or_future_signature_is_not(signed: SepayFeed, seconds: int) -> None:
    with pytest.raises(SignatureExpired):
        signed.verify(SIGNED_BODY, HEADERS, SIGNED_AT + timedelta(seconds=seconds))


def test_a_moment_beyond_the_calendar_is_refused_as_expired(signed: SepayFeed) -> None:
    far = "99999999999"
    headers = {"X-SePay-Timestamp": far, "X-SePay-Signature": "sha256=" + sign(b"{}", far, SECRET.encode())}
    with pytest.raises(SignatureExpired):
        signed.verify(b"{}", headers, SIGNED_AT)


def test_both_secrets_work_while_one_is_being_changed() -> None:
    rotating = SepayFeed(HMAC, ["the new one", SECRET])
    rotating.verify(SIGNED_BODY, HEADERS, SIGNED_AT)
    with pytest.raises(SignatureWrong):
        SepayFeed(HMAC, ["the new one"]).verify(SIGNED_BODY, HEADERS, SIGNED_AT)


def test_the_api_key_is_compared_whole(keyed: SepayFeed) -> None:
    for value in (f"Apikey {KEY}", f"apikey {KEY}", f"Bearer Apikey {KEY}"):
        keyed.verify(b"", {"authorization": value}, SIGNED_AT)
    for value in (f"Apikey {KEY}x", f"Apikey {KEY[:-1]}", f"Apikey {KEY.upper()}", "Apikey khóa"):
        with pytest.raises(SignatureWrong):
            keyed.verify(b"", {"Authorization": value}, SIGNED_AT)
    for value in (KEY, f"Bearer {KEY}", "Apikey", "Apikey ", f"Apikey {KEY} {KEY}"):
        with pytest.raises(SignatureMissing):
            keyed.verify(b"", {"Authorization": value}, SIGNED_AT)


def test_a_right_signature_does_not_open_a_feed_pinned_to_the_key(keyed: SepayFeed) -> None:
    with pytest.raises(SignatureMissing):
        keyed.verify(SIGNED_BODY, HEADERS, SIGNED_AT)


def test_a_feed_needs_a_known_scheme_and_one_or_two_secrets() -> None:
    for scheme, secrets in [("none", [KEY]), (HMAC, []), (HMAC, [""]), (HMAC, ["a", "b", "c"])]:
        with pytest.raises(ValueError, match=r"SePay ký theo hmac|SePay ký theo apikey|cần một bí mật"):
            SepayFeed(scheme, secrets)


def test_the_scheme_of_a_message_is_found_by_hand_only() -> None:
    assert (
        SepayFeed.scheme_of(HEADERS, b"") == SepayFeed.scheme_of({**HEADERS, "Authorization": "Apikey x"}, b"") == HMAC
    )
    assert SepayFeed.scheme_of({"authorization": "Apikey x"}, b"") == API_KEY
    with pytest.raises(SignatureMissing):
        SepayFeed.scheme_of({"Host": "x"}, b"")


@pytest.mark.parametrize("value", [0, -1, True, False, 2277000.0, "2277000", None, [1], 2**63, 1e400])
def test_an_amount_that_is_no_positive_whole_number_is_refused(keyed: SepayFeed, value: object) -> None:
    with pytest.raises(CallbackUnreadable, match="transferAmount"):
        keyed.read(documented(transferAmount=value).replace(b"Infinity", b"1e400"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "92704"),
        ("id", True),
        ("id", None),
        ("accountNumber", 123499999),
        ("accountNumber", ""),
        ("accountNumber", None),
        ("accountNumber", "0123 499999"),
        ("accountNumber", "9" * 31),
        ("subAccount", 7),
        ("transferType", "IN"),
        ("transferType", None),
        ("content", 5),
        ("content", "x" * 501),
        ("transactionDate", "2023-03-25"),
        ("transactionDate", "2023-3-25 14:02:37"),
        ("transactionDate", "2023-02-30 14:02:37"),
        ("transactionDate", "0001-01-01 00:00:00"),
        ("transactionDate", 1679727757),
    ],
)
def test_a_field_of_another_type_is_refused(keyed: SepayFeed, field: str, value: object) -> None:
    with pytest.raises(CallbackUnreadable, match=field):
        keyed.read(documented(**{field: value}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        documented() + b"x",
        documented()[:-1] + b', "transferAmount": 1}',
        documented()[:-1] + b', "extra": NaN}',
        documented()[:-1] + b', "extra": ' + b"[" * 9 + b"]" * 9 + b"}",
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b"[" * 30_000,
        documented()[:-1] + b', "extra": "' + b"x" * 65_536 + b'"}',
        documented()[:-1] + b', "extra": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_doubtful_body_is_refused_for_good(keyed: SepayFeed, body: bytes) -> None:
    with pytest.raises(CallbackUnreadable) as refused:
        keyed.read(body)
    assert refused.value.permanent


def test_empty_and_absent_optional_fields_are_none(keyed: SepayFeed) -> None:
    fields = json.loads(documented(subAccount="", referenceCode="", content=None))
    del fields["description"]
    (transfer,) = keyed.read(json.dumps(fields).encode())

    assert (transfer.virtual_account, transfer.bank_reference, transfer.memo) == (None, None, "")


def test_a_virtual_account_keeps_its_letters(keyed: SepayFeed) -> None:
    (transfer,) = keyed.read(documented(subAccount="V3CASlrpr13MT76"))

    assert transfer.virtual_account == "V3CASlrpr13MT76"


def test_the_description_stands_in_for_an_empty_memo(keyed: SepayFeed) -> None:
    (transfer,) = keyed.read(documented(content="", description="BankAPINotify hoc phi thang 9"))

    assert transfer.memo == "hoc phi thang 9"


def test_what_a_database_cannot_store_is_taken_out_of_a_memo(keyed: SepayFeed) -> None:
    body = documented().replace(b"payment content", b"a\\u0000b\\ud800c\\u0065\\u0302")
    (transfer,) = keyed.read(body)

    assert transfer.memo == "a b\ufffdcê"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with pytest.raises(CallbackRefused):
        SepayFeed(API_KEY, [KEY]).read(body)


@given(
    st.dictionaries(
        st.sampled_from(["id", "accountNumber", "transferType", "transferAmount", "content", "transactionDate"]),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.text()),
        min_size=1,
    )
)
def test_a_strange_field_is_refused_or_read_as_it_stands(changes: dict[str, object]) -> None:
    body = documented(**changes)
    try:
        (transfer,) = SepayFeed(API_KEY, [KEY]).read(body)
    except CallbackUnreadable:
        return
    given_amount = json.loads(body)["transferAmount"]
    assert transfer.amount == Money(given_amount)
    assert type(given_amount) is int
