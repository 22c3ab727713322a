"""Tests of the Casso feed on its published payloads, both versions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from billing.money import Money
from reconciliation.errors import CallbackUnreadable, SignatureExpired, SignatureMissing, SignatureWrong
from reconciliation.feeds.base import Kind
from reconciliation.feeds.casso import V1, V2, CassoFeed
from reconciliation.matching import Direction
from tests.reconciliation.feeds.casso_published import (
    BODY,
    HEADERS,
    KEY,
    MILLISECONDS,
    MOVEMENT,
    SIGNATURE,
    TOKEN,
    listed,
    movement,
    signed,
)

SIGNED_AT = datetime(2024, 10, 3, 9, 37, 38, tzinfo=UTC)


@pytest.fixture
def feed() -> CassoFeed:
    return CassoFeed(V2, [KEY])


@pytest.fixture
def listing() -> CassoFeed:
    return CassoFeed(V1, [TOKEN])


def test_the_published_signature_verifies_however_the_body_is_ordered_and_spaced(feed: CassoFeed) -> None:
    backwards = {"data": dict(reversed(MOVEMENT.items())), "error": 0}
    for body in (BODY, json.dumps({"error": 0, "data": MOVEMENT}, indent=2).encode(), json.dumps(backwards).encode()):
        assert feed.signed_at(body, HEADERS) == SIGNED_AT


def test_the_signature_over_keys_in_the_order_sent_is_another_one(feed: CassoFeed) -> None:
    # What the provider's JavaScript sample signs: the key order of the message. It is only believed on raw bytes.
    with pytest.raises(SignatureWrong):
        feed.signed_at(json.dumps({"error": 0, "data": MOVEMENT}, indent=1).encode(), signed(BODY))
    assert feed.signed_at(BODY, signed(BODY)) == SIGNED_AT


@pytest.mark.parametrize("escape", [True, False])
def test_letters_and_slashes_are_signed_as_javascript_writes_them(feed: CassoFeed, *, escape: bool) -> None:
    body = json.dumps({"data": {"b": "học phí/lớp 5", "a": [1, {"d": None, "c": True}]}}, ensure_ascii=escape)
    text = '{"data":{"a":[1,{"c":true,"d":null}],"b":"học phí/lớp 5"}}'
    feed.signed_at(body.encode(), signed(text.encode()))


@pytest.mark.parametrize(
    "value",
    [
        f"t={MILLISECONDS},v1={SIGNATURE[:-1]}4",
        f"t=1727948258789,v1={SIGNATURE}",
    ],
)
def test_a_touched_signature_or_moment_is_wrong(feed: CassoFeed, value: str) -> None:
    with pytest.raises(SignatureWrong):
        feed.signed_at(BODY, {"X-Casso-Signature": value})


@pytest.mark.parametrize("value", ["", SIGNATURE, f"t=,v1={SIGNATURE}", f"t=-1,v1={SIGNATURE}", f"t=1,v1={SIGNATURE}0"])
def test_a_malformed_signature_is_missing(feed: CassoFeed, value: str) -> None:
    with pytest.raises(SignatureMissing):
        feed.signed_at(BODY, {"X-Casso-Signature": value})


@pytest.mark.parametrize(("seconds", "believed"), [(-300, True), (300, True), (-301, False), (301, False)])
def test_a_signature_holds_for_five_minutes(feed: CassoFeed, seconds: int, *, believed: bool) -> None:
    at = SIGNED_AT + timedelta(seconds=seconds)
    if believed:
        feed.verify(BODY, HEADERS, at)
    else:
        with pytest.raises(SignatureExpired):
            feed.verify(BODY, HEADERS, at)


def test_a_version_does_not_open_a_feed_of_the_other(feed: CassoFeed, listing: CassoFeed) -> None:
    with pytest.raises(SignatureMissing):
        listing.verify(BODY, HEADERS, SIGNED_AT)
    with pytest.raises(SignatureMissing):
        feed.verify(listed({}), {"Secure-Token": KEY}, SIGNED_AT)


def test_the_published_call_is_a_trial(feed: CassoFeed) -> None:
    (read,) = feed.read(BODY)

    assert (read.kind, read.provider_id, read.amount) == (Kind.TEST, "0", Money(599_000))
    assert (read.account, read.virtual_account, read.memo) == ("88888888", None, "giao dich thu nghiem")
    assert (read.bank_reference, read.payer_account) == ("MA_GIAO_DICH_THU_NGHIEM", "8888888888")
    assert read.time == datetime(2024, 10, 3, 8, 6, 37, tzinfo=UTC)


def test_a_movement_is_read(feed: CassoFeed) -> None:
    (read,) = feed.read(movement(id=7, amount=-5000, virtualAccountNumber="V3CASlr"))

    assert (read.kind, read.provider_id, read.virtual_account) == (Kind.TRANSFER, "7", "V3CASlr")
    assert (read.direction, read.amount) == (Direction.OUT, Money(5_000))


def test_a_list_is_one_transfer_for_each_row(listing: CassoFeed) -> None:
    first, second = listing.read(listed({}, {"id": 2, "amount": -70000, "bank_sub_acc_id": None, "subAccId": "5"}))

    assert (first.provider_id, first.bank_reference, first.account) == ("1", "TF80307914", "771368000000")
    assert (first.direction, first.amount, first.kind) == (Direction.IN, Money(520_000), Kind.TRANSFER)
    assert first.time == datetime(2026, 3, 26, 3, 30, tzinfo=UTC)
    assert (second.provider_id, second.account) == ("2", "5")
    assert (second.direction, second.amount) == (Direction.OUT, Money(70_000))
    assert listing.read(listed()) == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", -1),
        ("id", "7"),
        ("id", None),
        ("amount", 0),
        ("amount", 1.0),
        ("amount", "599000"),
        ("amount", True),
        ("amount", 2**63),
        ("amount", -(2**63)),
        ("accountNumber", ""),
        ("accountNumber", 88888888),
        ("transactionDateTime", "2024-10-03"),
        ("transactionDateTime", "2024-02-30 00:00:00"),
        ("transactionDateTime", "0001-01-01 00:00:00"),
        ("transactionDateTime", "9999-12-31 23:59:59"),
    ],
)
def test_a_doubtful_field_is_refused(feed: CassoFeed, field: str, value: object) -> None:
    with pytest.raises(CallbackUnreadable, match=field):
        feed.read(movement(**{field: value}))


@pytest.mark.parametrize("body", [b'{"error":1,"data":{}}', b'{"data":{}}', b'{"error":0,"data":[]}', b'{"error":0}'])
def test_another_shape_is_refused(feed: CassoFeed, body: bytes) -> None:
    with pytest.raises(CallbackUnreadable):
        feed.read(body)


def test_a_list_of_other_things_is_refused(listing: CassoFeed) -> None:
    for body in (b'{"error":0,"data":{}}', b'{"error":0,"data":[1]}'):
        with pytest.raises(CallbackUnreadable):
            listing.read(body)


def test_only_the_token_leaves_large_amounts_unproven(feed: CassoFeed, listing: CassoFeed) -> None:
    assert feed.proves_amount
    assert not listing.proves_amount


def test_the_version_of_a_message_is_found_by_hand_only() -> None:
    assert CassoFeed.scheme_of(HEADERS, b"") == V2
    assert CassoFeed.scheme_of({"secure-token": TOKEN}, b"") == V1
    with pytest.raises(SignatureMissing):
        CassoFeed.scheme_of({}, b"")
