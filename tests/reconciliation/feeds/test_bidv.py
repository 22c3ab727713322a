"""Tests of the BIDV feed: ``paybill``."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.money import Money
from reconciliation.errors import CallbackRefused, CallbackUnreadable, SignatureMissing, SignatureWrong
from reconciliation.feeds.bidv import CHECKSUM, SIGNED_FIELDS, BidvFeed
from reconciliation.matching import Direction
from tests.reconciliation.feeds.bank_samples import BIDV, BIDV_SECRET, message

FEED = BidvFeed(CHECKSUM, [BIDV_SECRET])
NOW = datetime(2026, 3, 26, tzinfo=UTC)


def test_a_payment_is_believed_and_read() -> None:
    FEED.verify(message(BIDV), {}, NOW)
    (read,) = FEED.read(message(BIDV))

    assert (read.provider_id, read.bank_reference) == ("76e4751c66bf101ccde58cdad9953f03", "0000000000017")
    assert (read.account, read.virtual_account, read.memo) == (None, "V3HD26A7K9P2M", "B0001")
    assert (read.direction, read.amount) == (Direction.IN, Money(50_000))
    assert read.time == datetime(2024, 7, 18, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize("field", SIGNED_FIELDS)
def test_each_signed_field_is_bound(field: str) -> None:
    with pytest.raises(SignatureWrong):
        FEED.verify(message(BIDV, **{field: "1"}), {}, NOW)


def test_a_digit_may_wander_which_is_why_the_amount_counts_as_unproven() -> None:
    FEED.verify(message(BIDV, bill_id="B000", amount="150000"), {}, NOW)
    assert not FEED.proves_amount


@pytest.mark.parametrize(
    "dress",
    [
        {"customer_id": "V3HD26A7K9P2X", "trans_date": "20240719101500", "service_id": "HP0002"},
        {"trans_id": "000000000001", "bill_id": "7B0001"},
        {"trans_id": "0000000000017B0001", "bill_id": ""},
        {"amount": 50000},
    ],
)
def test_a_copy_of_what_was_signed_is_the_same_movement_in_any_dress(dress: dict[str, object]) -> None:
    FEED.verify(message(BIDV, **dress), {}, NOW)
    assert FEED.read(message(BIDV, **dress))[0].provider_id == FEED.read(message(BIDV))[0].provider_id


@pytest.mark.parametrize("field", SIGNED_FIELDS)
def test_what_is_signed_otherwise_is_another_movement(field: str) -> None:
    assert FEED.read(message(BIDV, **{field: "71"}))[0].provider_id != FEED.read(message(BIDV))[0].provider_id


@pytest.mark.parametrize("value", [None, 7, "", "0" * 31, "g" * 32])
def test_a_malformed_digest_is_missing(value: object) -> None:
    with pytest.raises(SignatureMissing):
        FEED.verify(message(BIDV, checksum=value), {}, NOW)


def test_a_question_for_a_bill_is_no_notice_of_money() -> None:
    question = message({"customer_id": "V3HD26A7K9P2M", "service_id": "HP0001", "checksum": "0" * 32})
    with pytest.raises(CallbackRefused):
        FEED.verify(question, {}, NOW)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trans_id", None),
        ("amount", ""),
        ("amount", "50,000"),
        ("trans_date", "18/07/2024"),
        ("customer_id", "V3 HD"),
        ("bill_id", 7),
    ],
)
def test_a_doubtful_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(CallbackUnreadable, match=field):
        FEED.read(message(BIDV, **{field: value}))


def test_the_answers_are_those_of_bidv() -> None:
    assert FEED.accepted(message(BIDV)).body == b'{"result_code": "000", "result_desc": "Success"}'
    assert (FEED.refused.status, FEED.refused.body[:21]) == (400, b'{"result_code": "004"')
