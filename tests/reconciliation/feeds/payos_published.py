"""What payOS publishes, carried over: its signed trial call, and three signed objects of its Python library."""

from __future__ import annotations

import json

from reconciliation.feeds.payos import signed_text
from reconciliation.feeds.signing import hmac_hex

KEY = "1a54716c8f0efb2744fb28b6e38b25da7f67a925d98bc1c18bd8faaecadd7675"
DATA: dict[str, object] = {
    "orderCode": 123,
    "amount": 3000,
    "description": "VQRIO123",
    "accountNumber": "12345678",
    "reference": "TF230204212323",
    "transactionDateTime": "2023-02-04 18:25:00",
    "currency": "VND",
    "paymentLinkId": "124c33293c43417ab7879e14c8d9eb18",
    "code": "00",
    "desc": "Thành công",
    "counterAccountBankId": "",
    "counterAccountBankName": "",
    "counterAccountName": "",
    "counterAccountNumber": "",
    "virtualAccountName": "",
    "virtualAccountNumber": "",
}
SIGNATURE = "412e915d2871504ed31be63c8f62a149a4410d34c4c42affc9006ef9917eaa03"
NEVER_VERIFIED = "8d8640d802576397a1ce45ebda7f835055768ac7ad2e0bfb77f9b8f12cca4c7f"
"""The signature beside the same data in an older part of the documentation: it belongs to no key anybody published."""

LIBRARY_KEY = "test_checksum_key"
LIBRARY: tuple[tuple[dict[str, object], str], ...] = (
    (
        {
            "amount": 2000,
            "description": "Thanh toán đơn hàng",
            "orderCode": 0,
            "cancelUrl": "http://localhost",
            "returnUrl": "http://localhost",
        },
        "d8b7b0e5d19edfe7b1f53dedeb8d1c7c2b62fabd7eb320dbc514c58f13e9e2c5",
    ),
    (
        {
            "id": "payment-link-id",
            "orderCode": 0,
            "amount": 2000,
            "amountPaid": 2000,
            "amountRemaining": 0,
            "status": "PAID",
            "createdAt": "2025-12-12T09:00:00+07:00",
            "transactions": [
                {
                    "reference": "FT-REFERENCE",
                    "accountNumber": "0123456789",
                    "amount": 2000,
                    "counterAccountBankId": "01202001",
                    "counterAccountBankName": None,
                    "counterAccountName": "NGUYEN VAN A",
                    "counterAccountNumber": "9876543210",
                    "description": "TRANSACTION DESCRIPTION",
                    "transactionDateTime": "2025-12-12T09:00:00+07:00",
                    "virtualAccountName": None,
                    "virtualAccountNumber": None,
                }
            ],
            "canceledAt": None,
            "cancellationReason": None,
        },
        "6af5e2c9a28256c140169ed624114b43295915d7b6e2fa6278b17a7c43aadefd",
    ),
    (
        {
            "id": "payment-link-id",
            "orderCode": 0,
            "amount": 2000,
            "amountPaid": 0,
            "amountRemaining": 2000,
            "status": "PENDING",
            "createdAt": "2025-12-12T09:00:00+07:00",
            "transactions": [],
            "canceledAt": None,
            "cancellationReason": None,
        },
        "33093364158b143baa9ecd2e705d9a2a5a5d391a3cab7cb0a371588b3731368f",
    ),
)


def body(data: dict[str, object], signature: str) -> bytes:
    """Return a callback with this movement and signature."""
    fields = {"code": "00", "desc": "success", "success": True, "data": data, "signature": signature}
    return json.dumps(fields, ensure_ascii=False).encode()


def signed(**changes: object) -> bytes:
    """Return the published callback with some fields of the movement changed, signed anew."""
    data = {**DATA, **changes}
    return body(data, hmac_hex(KEY.encode(), signed_text(data), "sha256"))


PUBLISHED = body(DATA, SIGNATURE)
