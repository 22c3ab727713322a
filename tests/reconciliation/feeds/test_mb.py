"""Tests of the MB merchant feed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.money import Money
from reconciliation.errors import CallbackUnreadable, SignatureMissing, SignatureWrong
from reconciliation.feeds.mb import CHECKSUM, SIGNED_FIELDS, MbFeed
from reconciliation.matching import Direction
from tests.reconciliation.feeds.bank_samples import MB, MB_SECRET, message

FEED = MbFeed(CHECKSUM, [MB_SECRET])
NOW = datetime(2026, 3, 26, tzinfo=UTC)


def test_a_payment_is_believed_and_read() -> None:
    FEED.verify(message(MB), {}, NOW)
    (read,) = FEED.read(message(MB))

    assert (read.provider_id, read.bank_reference) == ("3ee8a54880978d1a91d0536cde12095a", "FT26085123456789")
    assert (read.account, read.virtual_account, read.payer_name) == (None, None, "NGUYEN VAN PHU")
    assert (read.direction, read.amount, read.memo) == (Direction.IN, Money(520_000), "FW2345678AB")
    assert read.time == datetime(2026, 3, 26, 3, 30, tzinfo=UTC)


def test_the_digest_may_be_in_capitals_and_the_amount_a_number() -> None:
    FEED.verify(message(MB, checkSum=str(MB["checkSum"]).upper(), debitAmount=520000), {}, NOW)


@pytest.mark.parametrize("field", SIGNED_FIELDS)
def test_each_signed_field_is_bound(field: str) -> None:
    with pytest.raises(SignatureWrong):
        FEED.verify(message(MB, **{field: "1"}), {}, NOW)


def test_a_digit_may_wander_which_is_why_the_amount_counts_as_unproven() -> None:
    FEED.verify(message(MB, payDate="2026032610300", debitAmount="0520000"), {}, NOW)
    assert not FEED.proves_amount


@pytest.mark.parametrize(
    "dress",
    [
        {"ftCode": "FT26085000000000"},
        {"ftCode": "FT26085000000000", "consumerLabelTerm": "FW9999999ZZ", "userName": "AI DO", "realAmount": "1"},
        {"traceTransfer": "TT2403150000", "billNumber": "1FW2345678AB"},
        {"debitAmount": 520000},
    ],
)
def test_a_copy_of_what_was_signed_is_the_same_movement_in_any_dress(dress: dict[str, object]) -> None:
    FEED.verify(message(MB, **dress), {}, NOW)
    assert FEED.read(message(MB, **dress))[0].provider_id == FEED.read(message(MB))[0].provider_id


@pytest.mark.parametrize("field", SIGNED_FIELDS)
def test_what_is_signed_otherwise_is_another_movement(field: str) -> None:
    other = message(MB, **{field: "20260326103001"})
    assert FEED.read(other)[0].provider_id != FEED.read(message(MB))[0].provider_id


@pytest.mark.parametrize("value", [None, 7, "", "0" * 31, "g" * 32])
def test_a_malformed_digest_is_missing(value: object) -> None:
    with pytest.raises(SignatureMissing):
        FEED.verify(message(MB, checkSum=value), {}, NOW)


def test_all_labels_of_the_code_are_the_memo() -> None:
    (read,) = FEED.read(message(MB, billNumber=None, consumerLabelTerm="032026HS1", referenceLabelCode="FW1"))

    assert read.memo == "032026HS1 FW1"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("respCode", "05"),
        ("ftCode", ""),
        ("traceTransfer", None),
        ("debitAmount", "0"),
        ("debitAmount", "520000.0"),
        ("debitAmount", None),
        ("payDate", "26/03/2026"),
        ("payDate", "20260230103000"),
    ],
)
def test_a_doubtful_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(CallbackUnreadable, match=field):
        FEED.read(message(MB, **{field: value}))


def test_the_answers_are_those_of_mb() -> None:
    assert FEED.accepted(message(MB)).body == b'{"resCode": "00", "resDesc": "Success"}'
    assert (FEED.refused.status, FEED.refused.body[:16]) == (401, b'{"resCode": "01"')
