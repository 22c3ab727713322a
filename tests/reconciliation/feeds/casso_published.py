"""What Casso publishes, carried over as Python values: the signed trial call of v2, and the fields of v1.

The key of v2 is the sample key of Casso's own example servers. The values of v1 are invented.
"""

from __future__ import annotations

import json

from reconciliation.feeds.casso import sign

KEY = "mgExMrjj4i7a1p8Cs6LmFbpCd8lbw4sSX4LZXPag7TKazeIogtR90tvWYTkwQbvs"
MILLISECONDS = "1727948258788"
SIGNATURE = (
    "ed0a4bd2e826d5cb69988cdb141e6c1a080e21f3b57eb72cd78192220042b9e7"
    "dde0868fc667faea8e224900fa7904e7c88dfa098032fb2d6b6996856e8b7ff3"
)
MOVEMENT: dict[str, object] = {
    "id": 0,
    "reference": "MA_GIAO_DICH_THU_NGHIEM",
    "description": "giao dich thu nghiem",
    "amount": 599000,
    "runningBalance": 25000000,
    "transactionDateTime": "2024-10-03 15:06:37",
    "accountNumber": "88888888",
    "bankName": "VPBank",
    "bankAbbreviation": "VPB",
    "virtualAccountNumber": "",
    "virtualAccountName": "",
    "counterAccountName": "NGUYEN VAN A",
    "counterAccountNumber": "8888888888",
    "counterAccountBankId": "970415",
    "counterAccountBankName": "VietinBank",
}
BODY = json.dumps({"error": 0, "data": MOVEMENT}, separators=(",", ":")).encode()
HEADERS = {"X-Casso-Signature": f"t={MILLISECONDS},v1={SIGNATURE}"}

TOKEN = "khoa-dat-o-trang-casso"  # noqa: S105  an invented one
ROW: dict[str, object] = {
    "id": 1,
    "tid": "TF80307914",
    "description": "HD26A7K9P2M chuyen khoan",
    "amount": 520000,
    "cusum_balance": 15900500,
    "when": "2026-03-26 10:30:00",
    "bank_sub_acc_id": "771368000000",
    "subAccId": "771368000000",
    "bankName": "MBBank",
    "bankAbbreviation": "MBB",
    "virtualAccount": "",
    "virtualAccountName": "",
    "corresponsiveName": "",
    "corresponsiveAccount": "",
    "corresponsiveBankId": "",
    "corresponsiveBankName": "",
}


def movement(**changes: object) -> bytes:
    """Return the body of v2 with some fields of the movement changed."""
    return json.dumps({"error": 0, "data": {**MOVEMENT, **changes}}).encode()


def signed(text_to_sign: bytes) -> dict[str, str]:
    """Return the headers of v2 over these bytes."""
    return {"X-Casso-Signature": f"t={MILLISECONDS},v1={sign(text_to_sign, MILLISECONDS, KEY.encode())}"}


def listed(*rows: dict[str, object]) -> bytes:
    """Return a body of v1; each row is the documented one with its changes."""
    return json.dumps({"error": 0, "messages": [], "data": [{**ROW, **row} for row in rows]}).encode()
