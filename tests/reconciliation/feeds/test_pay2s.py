"""Tests of the Pay2S feed on its published payload."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.money import Money
from reconciliation.errors import CallbackUnreadable, SignatureMissing, SignatureWrong
from reconciliation.feeds.pay2s import BEARER, Pay2sFeed
from reconciliation.matching import Direction
from tests.reconciliation.feeds.bank_samples import pay2s

FEED = Pay2sFeed(BEARER, ["khoa"])
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def test_every_row_is_a_transfer_whatever_its_checksum() -> None:
    first, second = FEED.read(pay2s({}, {"id": "2", "transferType": "OUT", "checksum": None}))

    assert (first.provider_id, first.bank_reference, first.account) == ("1788052", "10418", "12805000")
    assert (first.direction, first.amount) == (Direction.IN, Money(50_000))
    assert first.memo == "SHOPVPS12537 GD 789604-040125 00:05:38"
    assert first.time == datetime(2025, 3, 31, 17, 2, 18, tzinfo=UTC)
    assert (second.provider_id, second.direction) == ("2", Direction.OUT)
    assert FEED.read(pay2s()) == ()


def test_the_token_is_compared_whole_and_proves_no_amount() -> None:
    FEED.verify(b"", {"authorization": "bearer khoa"}, NOW)
    for value in ("Bearer khoax", "Bearer kho", "Bearer KHOA", "Bearer khóa"):
        with pytest.raises(SignatureWrong):
            FEED.verify(b"", {"Authorization": value}, NOW)
    for value in ("khoa", "Apikey khoa", "Bearer", "Bearer khoa khoa"):
        with pytest.raises(SignatureMissing):
            FEED.verify(b"", {"Authorization": value}, NOW)
    assert not FEED.proves_amount


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 1788052),
        ("id", ""),
        ("transferType", "in"),
        ("transferAmount", "50000"),
        ("transferAmount", 0),
        ("accountNumber", None),
        ("transactionDate", "2025-04-01"),
    ],
)
def test_a_doubtful_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(CallbackUnreadable, match=field):
        FEED.read(pay2s({field: value}))


@pytest.mark.parametrize("body", [b"{}", b'{"transactions":{}}', b'{"transactions":[[]]}'])
def test_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(CallbackUnreadable):
        FEED.read(body)
