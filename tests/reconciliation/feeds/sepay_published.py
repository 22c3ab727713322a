"""What SePay publishes, carried over as Python values: its documented callback, and the one of its Laravel package.

No signature is published; ``SIGNED`` was computed from the documented rule with another implementation (OpenSSL).
"""

from __future__ import annotations

import json

DOCUMENTED: dict[str, object] = {
    "id": 92704,
    "gateway": "Vietcombank",
    "transactionDate": "2023-03-25 14:02:37",
    "accountNumber": "0123499999",
    "code": None,
    "content": "payment content",
    "transferType": "in",
    "transferAmount": 2277000,
    "accumulated": 19077000,
    "subAccount": None,
    "referenceCode": "MBVCB.3278907687",
    "description": "",
}
LARAVEL: dict[str, object] = {
    "gateway": "MBBank",
    "transactionDate": "2024-05-25 21:11:02",
    "accountNumber": "0359123456",
    "subAccount": None,
    "code": None,
    "content": "Thanh toan QR SE123456",
    "transferType": "out",
    "description": "Thanh toan QR SE123456",
    "transferAmount": 1700000,
    "referenceCode": "FT123456789",
    "accumulated": 0,
    "id": 123456,
}
SECRET = "whsec_example"  # noqa: S105  an invented one
TIMESTAMP = "1700000000"
SIGNED_BODY = (
    b'{"id":92704,"gateway":"Vietcombank","transactionDate":"2023-03-25 14:02:37","accountNumber":"0123499999",'
    b'"code":null,"content":"HD26A7K9P2M","transferType":"in","transferAmount":2277000,"accumulated":19077000,'
    b'"subAccount":null,"referenceCode":"MBVCB.3278907687","description":""}'
)
SIGNATURE = "sha256=04e0e8f51df35c69078ca1d68b9ae44a2eb5bb15d81b1e26a542f5b402816b81"


def documented(**changes: object) -> bytes:
    """Return the documented body with some fields changed, as bytes."""
    return json.dumps({**DOCUMENTED, **changes}).encode()
