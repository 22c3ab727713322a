"""Messages of the providers that publish no signed sample, with invented values.

MB, BIDV, Pay2S and VietQR.vn by a token. The digests were computed from the documented rule with another
implementation (md5sum, OpenSSL). The agency's message of VietQR.vn is the published one, with its published
signature and sample secret.
"""

from __future__ import annotations

import json

MB_SECRET = "khoa-truy-cap"  # noqa: S105  an invented one
MB: dict[str, object] = {
    "traceTransfer": "TT24031500001",
    "billNumber": "FW2345678AB",
    "payDate": "20260326103000",
    "debitAmount": "520000",
    "realAmount": "520000",
    "respCode": "00",
    "respDesc": "Success",
    "rate": "",
    "consumerLabelTerm": "",
    "referenceLabelCode": "",
    "userName": "NGUYEN VAN PHU",
    "ftCode": "FT26085123456789",
    "checkSum": "376f153dd698d055a03eb3aea1df0fda",
}

BIDV_SECRET = "bi-mat-bidv"  # noqa: S105  an invented one
BIDV: dict[str, object] = {
    "trans_id": "0000000000017",
    "trans_date": "20240718101500",
    "customer_id": "V3HD26A7K9P2M",
    "service_id": "HP0001",
    "bill_id": "B0001",
    "amount": "50000",
    "checksum": "49bdf5561da2d5adac23937988d21228",
}

PAY2S_ROW: dict[str, object] = {
    "id": "1788052",
    "gateway": "ACB",
    "transactionDate": "2025-04-01 00:02:18",
    "transactionNumber": "10418",
    "accountNumber": "12805000",
    "content": "SHOPVPS12537 GD 789604-040125 00:05:38",
    "transferType": "IN",
    "transferAmount": 50000,
    "checksum": "7e2b3bbc03d1083017e3d2a96d3b8e01",
}

VIETQR_SECRET = "bi-mat-vietqr"  # noqa: S105  an invented one
VIETQR_TOKEN = "1767225600.b3f4061b6eb1971f13ea0a9c0c0d5ef772c0a2be1a3790375bbfb149c2d0be12"  # noqa: S105  of that
VIETQR: dict[str, object] = {
    "bankaccount": "1123355000",
    "amount": 50000,
    "transType": "C",
    "content": "VQR303f2894ce HD26A7K9P2M",
    "transactionid": "0a4cc317-3af3-4055-bc83-7296adb624bf",
    "transactiontime": 1757342061000,
    "referencenumber": "FT24270000000001",
    "orderId": "HD26A7K9P2M",
    "terminalCode": "",
    "subTerminalCode": "",
    "serviceCode": "",
    "urlLink": "",
    "sign": "",
}

AGENCY_SECRET = "YWN0aXZlX3NpZ24ga2V5LiBLZWVwIGl0IHNlY3JldCE="  # noqa: S105  the sample of the documentation
AGENCY: dict[str, object] = {
    "transactionId": "0a4cc317-3af3-4055-bc83-7296adb624bf",
    "transactionTime": "2024-05-1701:53",
    "referencenumber": "0a4cc317-3af3-4055-bc83-7296adb624bf",
    "amount": "100000",
    "content": "Chuyenkhoan",
    "bankAccount": "0362626234",
    "transType": "C",
    "orderId": "0a4cc317-3af3-4055-bc83-7296adb624bf",
    "signature": "241fad517529e1abfef81756f615a6edd0a765846f0e926563ee88540c4a9ef1",
}


def message(fields: dict[str, object], **changes: object) -> bytes:
    """Return a message with some fields changed, as bytes."""
    return json.dumps({**fields, **changes}).encode()


def pay2s(*rows: dict[str, object]) -> bytes:
    """Return a Pay2S callback; each row is the documented one with its changes."""
    return json.dumps({"transactions": [{**PAY2S_ROW, **row} for row in rows]}).encode()
