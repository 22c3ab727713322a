"""BIDV ``getbill``: the bill that a customer (a virtual account, or our reference) has to pay (pure).

Source: one public integration (duchieupham/vietqr_server), not BIDV's own document; the shape of ``data`` is settled
with the bank. The check is ``MD5(secret + service_id + customer_id)``. ``bill_id`` and ``amount`` may be asked beside
it; they only narrow the answer, so they need not be signed. The customer's name is shown to the payer at the counter:
it is the masked one, without marks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from billing.payments.reference import drop_marks
from reconciliation.errors import CallbackRefused, CallbackUnreadable
from reconciliation.feeds.base import MAX_BODY_BYTES, Answer
from reconciliation.feeds.bidv import BidvFeed
from reconciliation.feeds.enquiry import BillFacts, Book
from reconciliation.feeds.json_body import JsonObject, amount_in_digits, code, needed_code, read_object
from reconciliation.feeds.signing import as_bytes, md5_hex, needed_signature, raw_text, same

OK = "000"
MISSING = "001"
NOT_LOGGED_IN = "003"
CHECKSUM = "004"
SERVICE = "006"
NO_BILL = "012"
UNKNOWN_BILL = "021"
AMOUNT = "022"
PAID = "023"
SYSTEM = "031"

_TOLD: Mapping[str, tuple[int, str]] = {
    OK: (200, "Success"),
    MISSING: (400, "Missing or malformed field"),
    NOT_LOGGED_IN: (404, "Unknown address"),
    CHECKSUM: (400, "Invalid checksum"),
    SERVICE: (400, "Unknown service"),
    NO_BILL: (200, "No bill to pay"),
    UNKNOWN_BILL: (200, "Unknown bill"),
    AMOUNT: (200, "Amount differs"),
    PAID: (200, "Bill already paid"),
    SYSTEM: (503, "System error, ask again"),
}
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_SERVICE = re.compile(r"[A-Za-z0-9]{1,20}")


def answer(result: str, data: Mapping[str, str] | None = None) -> Answer:
    """Return the answer of a result code."""
    status, told = _TOLD[result]
    content: dict[str, object] = {"result_code": result, "result_desc": told}
    if data is not None:
        content["data"] = dict(data)
    return Answer(status, json.dumps(content).encode())


def getbill(feed: BidvFeed, body: bytes, book: Book) -> Answer:
    """Answer a question; nothing is looked up before its checksum is believed."""
    try:
        fields = read_object(body, MAX_BODY_BYTES)
        customer, service = needed_code(fields, "customer_id", 30), needed_code(fields, "service_id", 30)
        wanted, offered = code(fields, "bill_id", 100), _offered(fields)
    except CallbackUnreadable:
        return answer(MISSING)
    try:
        given = needed_signature(fields, "checksum", _MD5).lower()
        signed = as_bytes(raw_text(fields, "service_id") + raw_text(fields, "customer_id"))
        feed.demand(lambda secret: same(given, md5_hex(secret + signed)))
    except CallbackRefused:
        return answer(CHECKSUM)
    if _SERVICE.fullmatch(service) is None:
        return answer(SERVICE)
    bill = book.of_customer(customer)
    return answer(NO_BILL) if bill is None else _judged(bill, customer, service, wanted, offered)


def _offered(fields: JsonObject) -> int | None:
    """Return the amount that may be asked beside the customer."""
    return None if fields.get("amount") in (None, "") else amount_in_digits(fields, "amount").dong


def _judged(bill: BillFacts, customer: str, service: str, wanted: str, offered: int | None) -> Answer:
    if wanted and wanted != bill.reference:
        return answer(UNKNOWN_BILL)
    if not bill.asked:
        return answer(PAID if bill.paid_at is not None else NO_BILL)
    if offered is not None and offered != bill.asked.dong:
        return answer(AMOUNT)
    return answer(
        OK,
        {
            "customer_id": customer,
            "customer_name": drop_marks(bill.masked_name).upper(),
            "service_id": service,
            "bill_id": bill.reference,
            "amount": str(bill.asked.dong),
        },
    )
