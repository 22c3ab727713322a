"""Tests of the VietinBank feed: what is signed, what is read, and the answer that is signed in turn."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat

from billing.money import Money
from reconciliation.errors import CallbackUnreadable, SignatureMissing, SignatureWrong
from reconciliation.feeds.vietinbank import RSA, RSA_ONE_WAY, VietinbankFeed, signed_text
from reconciliation.matching import Direction
from tests.reconciliation.feeds.vietinbank_published import (
    BANK,
    FIELDS,
    OTHER_BANK,
    OURS,
    SECRET,
    SIGNED_TEXT,
    notice,
    private_pem,
    public_pem,
    signature,
)

FEED = VietinbankFeed(RSA, [SECRET])
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def test_the_published_text_is_what_is_signed() -> None:
    assert signed_text(FIELDS) == SIGNED_TEXT.encode()
    FEED.verify(notice(), {}, NOW)
    VietinbankFeed(RSA_ONE_WAY, [public_pem(BANK)]).verify(notice(), {}, NOW)


@pytest.mark.parametrize("empty", ["", None])
def test_empty_parts_are_left_out(empty: object) -> None:
    text = SIGNED_TEXT.replace("2NDVNDV24012358711", "")
    FEED.verify(notice(text, custCode=empty), {}, NOW)


@pytest.mark.parametrize("field", ["transId", "transTime", "custCode", "amount", "bankTransId", "remark"])
def test_each_signed_field_is_bound(field: str) -> None:
    with pytest.raises(SignatureWrong):
        FEED.verify(notice(SIGNED_TEXT, **{field: "1"}), {}, NOW)


def test_a_digit_may_wander_which_is_why_the_amount_counts_as_unproven() -> None:
    FEED.verify(notice(custCode="2NDVNDV2401235871", amount="1875800"), {}, NOW)
    assert not FEED.proves_amount


@pytest.mark.parametrize("value", [None, 5, "", "AAAA", signature("x")[:-5] + "=A===", "!" * 344])
def test_a_malformed_signature_is_missing(value: object) -> None:
    with pytest.raises(SignatureMissing):
        FEED.verify(json.dumps({**FIELDS, "signature": value}).encode(), {}, NOW)


def test_the_notice_is_read() -> None:
    (read,) = FEED.read(notice())

    assert (read.provider_id, read.bank_reference) == ("501690869", "164T24200GKAJ7BY")
    assert (read.account, read.virtual_account) == ("116002680669", "2NDVNDV24012358711")
    assert (read.direction, read.amount) == (Direction.IN, Money(875_800))
    assert (read.memo, read.payer_account) == ("CT DEN:164T24200GKAJ7BY CK", "66666666")
    assert read.time == datetime(2024, 2, 1, 7, 6, 34, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "direction"),
    [("C", Direction.IN), ("COLLECTION", Direction.IN), ("1", Direction.IN), ("D", Direction.OUT)],
)
def test_the_direction_is_told_by_the_kind(kind: str, direction: Direction) -> None:
    assert FEED.read(notice(transType=kind))[0].direction is direction


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transType", "O"),
        ("transType", None),
        ("transType", ["C"]),
        ("amount", "0"),
        ("amount", "-1"),
        ("amount", "875800.00"),
        ("amount", "875.800"),
        ("amount", " 875800"),
        ("amount", "٨٧٥٨٠٠"),
        ("amount", 875800.0),
        ("currencyCode", "USD"),
        ("transId", ""),
        ("recvAcctId", None),
        ("transTime", "20240230140634"),
        ("transTime", "2024-02-01 14:06:34"),
    ],
)
def test_a_doubtful_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(CallbackUnreadable, match=field):
        FEED.read(notice(SIGNED_TEXT, **{field: value}))


def test_the_answer_is_signed_with_our_key() -> None:
    answer = FEED.accepted(notice())
    told = json.loads(answer.body)
    given = base64.b64decode(told["signature"])

    assert (answer.status, told["providerId"], told["transId"]) == (200, "9111", "501690869")
    assert (told["errorCode"], told["errorDesc"]) == ("00", "Success")
    OURS.public_key().verify(given, b"50169086900Success", padding.PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        OURS.public_key().verify(given, b"50169086901Success", padding.PKCS1v15(), SHA256())


def test_while_a_secret_is_changed_the_new_key_signs_the_answer() -> None:
    rotating = VietinbankFeed(RSA, [public_pem(BANK) + private_pem(OTHER_BANK), SECRET])
    given = base64.b64decode(json.loads(rotating.accepted(notice()).body)["signature"])

    OTHER_BANK.public_key().verify(given, b"50169086900Success", padding.PKCS1v15(), SHA256())


def test_a_one_way_agreement_answers_unsigned() -> None:
    told = json.loads(VietinbankFeed(RSA_ONE_WAY, [public_pem(BANK)]).accepted(notice()).body)

    assert (told["transId"], told["signature"]) == ("501690869", "")


def test_keys_that_are_none_too_short_or_of_another_kind_are_refused() -> None:
    short = public_pem(rsa.generate_private_key(65537, 1024))  # noqa: S505  too short is the point
    curve = ec.generate_private_key(ec.SECP256R1())
    elliptic = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    broken = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
    locked = OURS.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
    for secret in ("khoa", short, elliptic, broken):
        with pytest.raises(ValueError, match=r"PEM|RSA"):
            VietinbankFeed(RSA_ONE_WAY, [secret])
    for secret in (public_pem(BANK), public_pem(BANK) + locked):
        with pytest.raises(ValueError, match="PEM"):
            VietinbankFeed(RSA, [secret])
