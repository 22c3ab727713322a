"""Tests of the payOS feed on its published payloads."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.errors import CallbackRefused, CallbackUnreadable, SignatureMissing, SignatureWrong
from reconciliation.feeds.base import Kind
from reconciliation.feeds.payos import CHECKSUM, PayosFeed, signed_text
from reconciliation.matching import Direction
from tests.reconciliation.feeds.payos_published import (
    DATA,
    KEY,
    LIBRARY,
    LIBRARY_KEY,
    NEVER_VERIFIED,
    PUBLISHED,
    SIGNATURE,
    body,
    signed,
)
from tests.reconciliation.feeds.samples import compact

FEED = PayosFeed(CHECKSUM, [KEY])
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def test_the_published_signature_verifies_whatever_stands_around_the_data() -> None:
    FEED.verify(PUBLISHED, {}, NOW)
    FEED.verify(json.dumps({"signature": SIGNATURE.upper(), "data": DATA}, indent=2).encode(), {}, NOW)


@pytest.mark.parametrize(("data", "signature"), LIBRARY)
def test_the_cases_of_the_library_verify(data: dict[str, object], signature: str) -> None:
    PayosFeed(CHECKSUM, [LIBRARY_KEY]).verify(body(data, signature), {}, NOW)


def test_the_documented_signature_that_never_verified_is_wrong() -> None:
    with pytest.raises(SignatureWrong):
        FEED.verify(body(DATA, NEVER_VERIFIED), {}, NOW)


@pytest.mark.parametrize("nothing", [None, "null", "undefined", ""])
def test_nothing_is_signed_as_nothing(nothing: object) -> None:
    assert signed_text({"b": nothing, "a": True, "c": 1.0}) == b"a=true&b=&c=1"


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_flipped_byte_of_the_data_is_refused(place: int, flip: int) -> None:
    touched = bytearray(compact(DATA))
    touched[place % len(touched)] ^= flip
    with pytest.raises(CallbackRefused):
        FEED.verify(b'{"signature":"' + SIGNATURE.encode() + b'","data":' + bytes(touched) + b"}", {}, NOW)


@pytest.mark.parametrize("change", [{"amount": 30000}, {"extra": 1}, {"orderCode": None}])
def test_a_changed_added_or_emptied_field_is_wrong(change: dict[str, object]) -> None:
    with pytest.raises(SignatureWrong):
        FEED.verify(body({**DATA, **change}, SIGNATURE), {}, NOW)


@pytest.mark.parametrize("signature", [None, 5, "", SIGNATURE[:-1], SIGNATURE + "0", "x" * 64])
def test_a_malformed_signature_is_missing(signature: object) -> None:
    with pytest.raises(SignatureMissing):
        FEED.verify(json.dumps({"data": DATA, "signature": signature}).encode(), {}, NOW)


def test_the_trial_call_is_answered_and_is_no_money() -> None:
    (read,) = FEED.read(PUBLISHED)

    assert read.kind is Kind.TEST
    assert (FEED.accepted(PUBLISHED).status, FEED.accepted(PUBLISHED).body) == (200, b'{"success": true}')


def test_a_real_order_123_is_money() -> None:
    (read,) = FEED.read(signed(paymentLinkId="5f0", virtualAccountNumber="V3CAS1"))

    assert (read.kind, read.direction, read.amount) == (Kind.TRANSFER, Direction.IN, Money(3_000))
    assert (read.provider_id, read.bank_reference) == ("TF230204212323:5f0", "TF230204212323")
    assert (read.account, read.virtual_account, read.memo) == ("12345678", "V3CAS1", "VQRIO123")
    assert read.time == datetime(2023, 2, 4, 11, 25, tzinfo=UTC)


def test_a_moment_with_its_zone_is_read() -> None:
    (read,) = FEED.read(signed(transactionDateTime="2025-12-12T09:00:00+07:00"))

    assert read.time == datetime(2025, 12, 12, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 0),
        ("amount", "3000"),
        ("amount", 3000.0),
        ("code", "01"),
        ("currency", "USD"),
        ("reference", ""),
        ("reference", "x" * 65),
        ("paymentLinkId", None),
        ("accountNumber", ""),
        ("orderCode", "123"),
        ("transactionDateTime", "04/02/2023 18:25:00"),
        ("transactionDateTime", "2023-02-04T18:25:00+99:00"),
    ],
)
def test_a_doubtful_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(CallbackUnreadable, match=field):
        FEED.read(signed(**{field: value}))
