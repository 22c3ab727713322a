"""BIDV asks for a bill: believed by its checksum alone, answered with the little it needs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.feeds.base import MAX_BODY_BYTES
from reconciliation.feeds.bidv import CHECKSUM, BidvFeed
from reconciliation.feeds.bidv_getbill import getbill
from reconciliation.feeds.enquiry import BillFacts
from tests.reconciliation.feeds.bank_samples import BIDV_SECRET
from tests.reconciliation.feeds.enquiry_book import AT, PAID, SampleBook, md5

FEED = BidvFeed(CHECKSUM, [BIDV_SECRET])
CUSTOMER = "V3HD26A7K9P2M"


def question(customer: str = CUSTOMER, service: str = "HP0001", secret: str = BIDV_SECRET, **more: object) -> bytes:
    checksum = md5(secret, service, customer)
    return json.dumps({"customer_id": customer, "service_id": service, "checksum": checksum, **more}).encode()


def asked(body: bytes, book: SampleBook | None = None) -> dict[str, object]:
    answer = getbill(FEED, body, book or SampleBook())
    content = json.loads(answer.body)
    assert isinstance(content, dict)
    return content


def test_the_bill_is_told_with_amount_reference_and_masked_name_and_nothing_else() -> None:
    told = asked(question())
    assert told["result_code"] == "000"
    assert told["data"] == {
        "customer_id": CUSTOMER,
        "customer_name": "N. T. M. ANH",
        "service_id": "HP0001",
        "bill_id": "FW2345678AB",
        "amount": "650000",
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "001"),
        (b"[]", "001"),
        (b'{"customer_id": "1", "customer_id": "2"}', "001"),
        (question(customer=""), "001"),
        (question(service=""), "001"),
        (question(amount="1.000"), "001"),
        (b" " * (MAX_BODY_BYTES + 1), "001"),
        (question(checksum="0" * 32), "004"),
        (question(checksum=None), "004"),
        (question(secret="khac"), "004"),
        (question(service="HP-1"), "006"),
        (question(customer="V3KHONGCO"), "012"),
        (question(bill_id="FW0000000AB"), "021"),
        (question(amount="650001"), "022"),
        (question(bill_id="FW2345678AB", amount="650000"), "000"),
        (question(amount=""), "000"),
    ],
    ids=range(16),
)
def test_each_question_has_its_code(body: bytes, code: str) -> None:
    assert asked(body)["result_code"] == code


def test_a_paid_bill_and_one_of_nothing_differ() -> None:
    assert asked(question(), SampleBook(PAID))["result_code"] == "023"
    nothing = BillFacts("FW2345678AB", "N. T. M. Ánh", Money(0), Money(0), AT)
    told = asked(question(), SampleBook(nothing))
    assert told == {"result_code": "012", "result_desc": "No bill to pay"}


def test_nothing_is_looked_for_before_the_checksum_is_right() -> None:
    book = SampleBook()
    asked(question(checksum="0" * 32), book)
    asked(question(secret="khac"), book)
    assert book.asked == []


def test_both_secrets_of_a_rotation_are_believed() -> None:
    feed = BidvFeed(CHECKSUM, ["moi", BIDV_SECRET])
    for secret in ("moi", BIDV_SECRET):
        assert json.loads(getbill(feed, question(secret=secret), SampleBook()).body)["result_code"] == "000"


FIELDS = st.sampled_from(["customer_id", "service_id", "checksum", "bill_id", "amount"])
OBJECTS = st.dictionaries(FIELDS, st.text(max_size=12)).map(lambda fields: json.dumps(fields).encode())


@given(st.binary(max_size=300) | OBJECTS)
def test_whatever_is_asked_has_an_answer_and_tells_no_bill(body: bytes) -> None:
    told = asked(body)
    assert told["result_code"] in {"001", "004"}
    assert "data" not in told
