"""VietQR.vn asks what became of an order: believed by token and checksum, answered without a payer's words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.feeds.vietqrvn import AGENCY, BEARER, TOKEN, VietqrvnFeed, issue
from reconciliation.feeds.vietqrvn_check_order import check_order
from tests.reconciliation.feeds.enquiry_book import PAID, SampleBook, md5

SECRET = "mat-khau-da-thoa-thuan"  # noqa: S105  an invented one
ACCOUNT = "1012000001"
NOW = datetime(2025, 10, 6, 2, 0, tzinfo=UTC)
FEED = VietqrvnFeed(TOKEN, [SECRET])


def headers(at: datetime = NOW) -> dict[str, str]:
    return {"authorization": f"Bearer {issue(SECRET.encode(), int(at.timestamp()))}"}


def question(value: str = "FW2345678AB", kind: object = 0, account: str = ACCOUNT, **more: object) -> bytes:
    fields = {"bankAccount": account, "type": kind, "value": value, "checkSum": md5(account, SECRET)}
    return json.dumps({**fields, **more}).encode()


def told(body: bytes, book: SampleBook | None = None, given: dict[str, str] | None = None) -> Any:  # noqa: ANN401  a list or an error, as documented
    used = headers() if given is None else given
    return json.loads(check_order(FEED, body, used, book or SampleBook(), NOW).body)


def test_an_open_order_waits_and_a_paid_one_is_paid() -> None:
    (waits,) = told(question())
    assert (waits["orderId"], waits["amount"], waits["status"], waits["content"]) == (
        "FW2345678AB", 650_000, 0, "FW2345678AB",
    )  # fmt: skip
    (paid,) = told(question(kind="0"), SampleBook(PAID))
    assert (paid["status"], paid["amount"], paid["timePaid"]) == (1, 650_000, 1_759_712_400_000)


def test_a_movement_is_found_by_the_bank_s_number_without_the_payer_s_words() -> None:
    (found,) = told(question("FT25279001", 1))
    assert (found["referenceNumber"], found["amount"], found["transType"], found["content"]) == (
        "FT25279001", 300_000, "C", "",
    )  # fmt: skip
    assert "Ánh" not in json.dumps(found, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "given_headers", "error"),
    [
        (b"{", None, "E46"),
        (question(value=""), None, "E46"),
        (question(), {}, "E74"),
        (question(), headers(NOW - timedelta(seconds=301)), "E74"),
        (question(), {"authorization": f"Bearer {SECRET}"}, "E74"),
        (question(checkSum="0" * 32), None, "E39"),
        (question(checkSum=7), None, "E39"),
        (question(account="999999"), None, "E77"),
        (question(kind=2), None, "E95"),
        (question(kind=None), None, "E95"),
        (question("FWKHONGCO"), None, "E96"),
        (question("FT0", 1), None, "E96"),
    ],
    ids=range(12),
)
def test_each_question_has_its_error(body: bytes, given_headers: dict[str, str] | None, error: str) -> None:
    assert told(body, given=given_headers) == {"status": "FAILED", "message": error}


def test_whoever_is_not_believed_does_not_learn_the_account() -> None:
    book = SampleBook()
    wrong = question(account="999999", checkSum="0" * 32)
    assert told(wrong, book) == told(question(checkSum="0" * 32), book)
    assert book.asked == []


def test_a_bearer_is_the_secret_and_an_agency_has_the_checksum_alone() -> None:
    for scheme, used in ((BEARER, {"authorization": f"Bearer {SECRET}"}), (AGENCY, {})):
        answer = check_order(VietqrvnFeed(scheme, [SECRET]), question(), used, SampleBook(), NOW)
        assert answer.status == 200


@given(st.binary(max_size=300))
def test_whatever_is_asked_has_an_answer(body: bytes) -> None:
    assert told(body)["message"] in {"E46", "E39"}
