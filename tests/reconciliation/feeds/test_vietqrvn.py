"""Tests of the VietQR.vn feed: both spellings, the token we issue, and the agency's signature."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from billing.money import Money
from reconciliation.errors import CallbackUnreadable, SignatureExpired, SignatureMissing, SignatureWrong
from reconciliation.feeds.vietqrvn import AGENCY, BEARER, TOKEN, VietqrvnFeed, agency_text, issue
from reconciliation.matching import Direction
from tests.reconciliation.feeds.bank_samples import AGENCY as AGENCY_MESSAGE
from tests.reconciliation.feeds.bank_samples import (
    AGENCY_SECRET,
    VIETQR,
    VIETQR_SECRET,
    VIETQR_TOKEN,
    message,
)

ISSUED = datetime(2026, 1, 1, tzinfo=UTC)
BY_TOKEN = VietqrvnFeed(TOKEN, [VIETQR_SECRET])
BY_AGENCY = VietqrvnFeed(AGENCY, [AGENCY_SECRET])


def with_token(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_published_signature_of_the_agency_verifies() -> None:
    BY_AGENCY.verify(message(AGENCY_MESSAGE), {}, ISSUED)
    (read,) = BY_AGENCY.read(message(AGENCY_MESSAGE))

    assert (read.account, read.amount, read.memo) == ("0362626234", Money(100_000), "Chuyenkhoan")
    assert read.time == datetime(2024, 5, 16, 18, 53, tzinfo=UTC)


@pytest.mark.parametrize("field", ["transactionId", "amount", "transactionTime", "orderId"])
def test_each_field_the_agency_signs_is_bound(field: str) -> None:
    with pytest.raises(SignatureWrong):
        BY_AGENCY.verify(message(AGENCY_MESSAGE, **{field: "1"}), {}, ISSUED)


def test_a_digit_may_wander_which_is_why_the_amount_counts_as_unproven() -> None:
    assert agency_text({"transactionId": "a1", "amount": 5}) == agency_text(
        {"transactionId": "a", "amount": 1 * 10**10 + 5}
    )
    assert not BY_AGENCY.proves_amount
    assert not BY_TOKEN.proves_amount


@pytest.mark.parametrize(
    "dress",
    [
        {"referencenumber": "FT1"},
        {"referencenumber": "FT2", "content": "FW9999999ZZ", "transType": "D", "bankAccount": "99"},
        {"amount": 100000},
        {"amount": "0000100000"},
    ],
)
def test_a_copy_of_what_an_agency_signed_is_the_same_movement_in_any_dress(dress: dict[str, object]) -> None:
    BY_AGENCY.verify(message(AGENCY_MESSAGE, **dress), {}, ISSUED)
    (copy,), (first,) = BY_AGENCY.read(message(AGENCY_MESSAGE, **dress)), BY_AGENCY.read(message(AGENCY_MESSAGE))
    assert copy.provider_id == first.provider_id


def test_a_digit_that_wanders_makes_no_other_movement() -> None:
    """The last digit of the id becomes the first one of the amount; both are believed with the same signature."""
    (one,) = BY_AGENCY.read(message(VIETQR, transactionid="a1", amount=5))
    (other,) = BY_AGENCY.read(message(VIETQR, transactionid="a", amount=1 * 10**10 + 5))
    assert one.provider_id == other.provider_id


def test_what_an_agency_signed_otherwise_is_another_movement_and_without_an_id_it_is_none() -> None:
    (first,) = BY_AGENCY.read(message(AGENCY_MESSAGE))
    for changes in ({"transactionId": "b"}, {"amount": "1"}, {"transactionTime": "2024-05-1701:54"}, {"orderId": "b"}):
        assert BY_AGENCY.read(message(AGENCY_MESSAGE, **changes))[0].provider_id != first.provider_id
    with pytest.raises(CallbackUnreadable, match="transactionid"):
        BY_AGENCY.read(message(AGENCY_MESSAGE, transactionId=None))


@pytest.mark.parametrize("value", [None, 7, "", "0" * 63, "g" * 64])
def test_a_malformed_signature_is_missing(value: object) -> None:
    with pytest.raises(SignatureMissing):
        BY_AGENCY.verify(message(AGENCY_MESSAGE, signature=value), {}, ISSUED)


def test_a_token_we_issued_is_good_for_five_minutes() -> None:
    assert issue(VIETQR_SECRET.encode(), int(ISSUED.timestamp())) == VIETQR_TOKEN
    BY_TOKEN.verify(b"", with_token(VIETQR_TOKEN), ISSUED + timedelta(seconds=300))
    with pytest.raises(SignatureExpired):
        BY_TOKEN.verify(b"", with_token(VIETQR_TOKEN), ISSUED + timedelta(seconds=301))


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_who_names_the_secret_is_given_such_a_token() -> None:
    rotating = VietqrvnFeed(TOKEN, [VIETQR_SECRET, "the old one"])
    for password in (VIETQR_SECRET, "the old one"):
        answer = rotating.log_in(basic(f"vietqr:{password}"), ISSUED)
        assert answer.status == 200
        assert json.loads(answer.body) == {"access_token": VIETQR_TOKEN, "token_type": "Bearer", "expires_in": 300}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("vietqr:another"),
        basic(VIETQR_SECRET),
        basic("vietqr:"),
        {"Authorization": "Basic"},
        {"Authorization": "Basic ===="},
        {"Authorization": "Basic /w=="},
        {"Authorization": f"Bearer {VIETQR_TOKEN}"},
    ],
)
def test_nobody_else_is(headers: dict[str, str]) -> None:
    answer = BY_TOKEN.log_in(headers, ISSUED)

    assert (answer.status, json.loads(answer.body)["status"]) == (400, "FAILED")


@pytest.mark.parametrize("scheme", [BEARER, AGENCY])
def test_a_scheme_without_such_tokens_gives_none_out(scheme: str) -> None:
    assert VietqrvnFeed(scheme, [VIETQR_SECRET]).log_in(basic(f"vietqr:{VIETQR_SECRET}"), ISSUED).status == 400


def test_a_token_with_another_moment_or_digest_is_wrong_and_another_thing_is_none() -> None:
    moment, _, digest = VIETQR_TOKEN.partition(".")
    for token in (f"{int(moment) + 1}.{digest}", f"0{moment}.{digest}", f"{moment}.{'0' * 64}"):
        with pytest.raises(SignatureWrong):
            BY_TOKEN.verify(b"", with_token(token), ISSUED)
    for token in (VIETQR_SECRET, digest, f"{moment}.", f"-{VIETQR_TOKEN}"):
        with pytest.raises(SignatureMissing):
            BY_TOKEN.verify(b"", with_token(token), ISSUED)


@pytest.mark.parametrize("camel", [False, True])
def test_both_spellings_are_read(*, camel: bool) -> None:
    names = {"bankaccount": "bankAccount", "transactionid": "transactionId", "transactiontime": "transactionTime"}
    fields = {names.get(name, name) if camel else name: value for name, value in VIETQR.items()}
    (read,) = BY_TOKEN.read(message(fields))

    assert (read.provider_id, read.bank_reference) == ("FT24270000000001", "FT24270000000001")
    assert (read.account, read.memo) == ("1123355000", "VQR303f2894ce HD26A7K9P2M")
    assert (read.direction, read.amount) == (Direction.IN, Money(50_000))
    assert read.time == datetime(2025, 9, 8, 14, 34, 21, tzinfo=UTC)


def test_a_field_in_both_spellings_is_refused() -> None:
    with pytest.raises(CallbackUnreadable, match="bankaccount"):
        BY_TOKEN.read(message(VIETQR, bankAccount="99"))


def test_money_out_is_read_as_such() -> None:
    assert BY_TOKEN.read(message(VIETQR, transType="D"))[0].direction is Direction.OUT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transType", "c"),
        ("transType", None),
        ("amount", 0),
        ("amount", "50.000"),
        ("referencenumber", ""),
        ("bankaccount", None),
        ("transactiontime", None),
        ("transactiontime", 10**18),
        ("transactiontime", -(10**30)),
        ("transactiontime", 0),
        ("transactiontime", True),
        ("transactiontime", "2025-09-08"),
    ],
)
def test_a_doubtful_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(CallbackUnreadable, match=field):
        BY_TOKEN.read(message(VIETQR, **{field: value}))


def test_the_answer_names_the_message_by_the_digest_it_is_stored_under() -> None:
    body = message(VIETQR)
    assert json.loads(BY_TOKEN.accepted(body).body) == {
        "error": False,
        "errorReason": "",
        "toastMessage": "",
        "object": {"reftransactionid": hashlib.sha256(body).hexdigest()},
    }
    assert json.loads(BY_TOKEN.refused.body) == {
        "error": True,
        "errorReason": "E74",
        "toastMessage": "Invalid token",
        "object": None,
    }


def test_an_agency_is_answered_with_the_id_of_its_movement() -> None:
    assert json.loads(BY_AGENCY.accepted(message(AGENCY_MESSAGE)).body) == {
        "error": False,
        "errorReason": "000",
        "toastMessage": "0a4cc317-3af3-4055-bc83-7296adb624bf",
        "messageError": "Success",
    }
    assert json.loads(BY_AGENCY.refused.body)["errorReason"] == "002"


def test_the_scheme_of_a_message_is_found_by_hand_only() -> None:
    assert VietqrvnFeed.scheme_of(with_token("khoa"), b"") == BEARER
    with pytest.raises(SignatureMissing):
        VietqrvnFeed.scheme_of({}, message(VIETQR))
    with pytest.raises(SignatureMissing):
        BY_TOKEN.verify(message(AGENCY_MESSAGE), {}, ISSUED)
