"""Rows of both lists as the providers' pages print them, with invented people and accounts."""

from __future__ import annotations

import json
from typing import Any

SEPAY_ROW: dict[str, Any] = {
    "id": "49682", "bank_brand_name": "Vietcombank", "account_number": "0071000888888",
    "transaction_date": "2025-10-06 08:00:00", "amount_out": "0.00", "amount_in": "18067000.00",
    "accumulated": "1200541768.00", "transaction_content": "NGUYEN VAN PHU chuyen tien",
    "reference_number": "677760.061025.080001", "code": None, "sub_account": "VCB0011ABC004", "bank_account_id": "19",
}  # fmt: skip
CASSO_ROW: dict[str, Any] = {
    "id": 5789, "tid": "TF2104152395814062", "description": "Nguyen Van Phu chuyen tien", "amount": -193000,
    "cusum_balance": 1070904, "when": "2021-04-15T00:00:00", "bankSubAccId": "8007041027107", "paymentChannel": "",
    "virtualAccount": "", "virtualAccountName": "", "corresponsiveName": "", "corresponsiveAccount": "",
    "corresponsiveBankId": "", "corresponsiveBankName": "", "accountId": 733, "bankCodeName": "acb_digi",
}  # fmt: skip


def sepay_page(*rows: dict[str, Any]) -> bytes:
    page = {"status": 200, "error": None, "messages": {"success": True}, "transactions": rows}
    return json.dumps(page).encode()


def casso_page(*rows: dict[str, Any], **more: object) -> bytes:
    data = {"page": 1, "pageSize": 100, "nextPage": None, "totalPages": 1, "totalRecords": len(rows), **more}
    return json.dumps({"error": 0, "message": "success", "data": {**data, "records": rows}}).encode()
