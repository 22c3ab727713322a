"""VietQR.vn ``transactions/check-order``: what became of an order, or of a movement (pure).

Source: api.vietqr.vn "API Check Transaction". Asked is ``bankAccount``, ``type`` (0: by ``orderId``, which is our
reference; 1: by ``referenceNumber``, the bank's), ``value`` and ``checkSum = MD5(bankAccount + access key)``; the
access key is the feed's secret (the pages name it differently: it is agreed with VietQR.vn). A feed with a token
demands that too. The answer is a list of one. Its ``content`` is our reference, never the payer's own words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

from reconciliation.errors import CallbackRefused, CallbackUnreadable
from reconciliation.feeds.base import MAX_BODY_BYTES, Answer
from reconciliation.feeds.enquiry import BillFacts, Book, MovementFacts
from reconciliation.feeds.json_body import JsonObject, needed_code, read_object
from reconciliation.feeds.signing import as_bytes, md5_hex, needed_signature, raw_text, same
from reconciliation.feeds.vietqrvn import AGENCY, VietqrvnFeed

UNKNOWN = "E05"
CHECKSUM = "E39"
BODY = "E46"
TOKEN = "E74"  # noqa: S105  an error's code
ACCOUNT = "E77"
TYPE = "E95"
NOT_FOUND = "E96"
_STATUS = {UNKNOWN: 503, CHECKSUM: 400, BODY: 400, TOKEN: 401, ACCOUNT: 400, TYPE: 400, NOT_FOUND: 404}
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_BY_ORDER, _BY_REFERENCE = "0", "1"
_WAITING, _PAID = 0, 1
_DYNAMIC, _OUTSIDE = 0, 2


def failed(error: str) -> Answer:
    """Return the answer of an error code."""
    return Answer(_STATUS[error], json.dumps({"status": "FAILED", "message": error}).encode())


def check_order(feed: VietqrvnFeed, body: bytes, headers: Mapping[str, str], book: Book, now: datetime) -> Answer:
    """Answer a question; nothing is looked up, and no account confirmed, before it is believed."""
    try:
        fields = read_object(body, MAX_BODY_BYTES)
        account, value = needed_code(fields, "bankAccount", 30), needed_code(fields, "value", 100)
        kind = raw_text(fields, "type")
    except CallbackUnreadable:
        return failed(BODY)
    refused = _disbelief(feed, fields, body, headers, now)
    if refused is not None:
        return failed(refused)
    if account != book.account:
        return failed(ACCOUNT)
    if kind == _BY_ORDER:
        bill = book.of_reference(value)
        return failed(NOT_FOUND) if bill is None else _found(_order(bill))
    if kind == _BY_REFERENCE:
        movement = book.movement(value)
        return failed(NOT_FOUND) if movement is None else _found(_movement(movement))
    return failed(TYPE)


def _disbelief(
    feed: VietqrvnFeed, fields: JsonObject, body: bytes, headers: Mapping[str, str], now: datetime
) -> str | None:
    """Return why a question is not believed: its token, where the feed has one, then its checksum."""
    try:
        if feed.scheme != AGENCY:
            feed.verify(body, headers, now)
    except CallbackRefused:
        return TOKEN
    try:
        given = needed_signature(fields, "checkSum", _MD5).lower()
        signed = as_bytes(raw_text(fields, "bankAccount"))
        feed.demand(lambda secret: same(given, md5_hex(signed + secret)))
    except CallbackRefused:
        return CHECKSUM
    return None


def _order(bill: BillFacts) -> dict[str, object]:
    paid = not bill.asked and bill.paid_at is not None
    return {
        "referenceNumber": "",
        "orderId": bill.reference,
        "amount": (bill.due if paid else bill.asked).dong,
        "content": bill.reference,
        "transType": "C",
        "status": _PAID if paid else _WAITING,
        "type": _DYNAMIC,
        "timeCreated": _millis(bill.asked_at),
        "timePaid": _millis(bill.paid_at) if paid and bill.paid_at is not None else 0,
    }


def _movement(found: MovementFacts) -> dict[str, object]:
    return {
        "referenceNumber": found.bank_reference,
        "orderId": "",
        "amount": found.amount.dong,
        "content": "",
        "transType": "C" if found.incoming else "D",
        "status": _PAID,
        "type": _OUTSIDE,
        "timeCreated": _millis(found.at),
        "timePaid": _millis(found.at),
    }


def _found(row: Mapping[str, object]) -> Answer:
    rest = {"terminalCode": "", "note": "", "refundCount": 0, "amountRefunded": 0}
    return Answer(200, json.dumps([{**row, **rest}]).encode())


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
