"""The matcher's evidence and what a waiting transfer waits for, in words for the office (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RULES: Mapping[str, str] = {
    "exact_reference": "Nội dung có mã thông báo thu đúng",
    "virtual_account": "Tài khoản định danh của học sinh",
    "several_exact_references": "Nhiều mã đúng, tổng số tiền bằng đúng số phải nộp",
    "closed_request": "Mã của thông báo đã đóng, ghi vào tiền nộp thừa của học sinh",
    "closed_request_same_amount_open": "Mã của thông báo đã đóng, khớp đúng một khoản đang mở",
    "several_references": "Nhiều mã nhưng tổng số tiền không khớp",
    "several_pupils": "Một mã thuộc nhiều học sinh",
    "another_account": "Tiền vào tài khoản khác với tài khoản trên thông báo",
    "another_school": "Mã thuộc trường khác",
    "virtual_account_disagrees": "Tài khoản định danh và mã trong nội dung thuộc hai học sinh",
    "corrected_reference": "Mã bị sai hoặc thiếu ký tự, cần người xem",
    "own_transfer": "Tiền từ tài khoản khác của trường, không phải khoản thu",
    "card_payout": "Nhà cung cấp thẻ chi trả tiền đã nộp bằng thẻ, không phải khoản thu",
    "card_payout_untied": "Hai người đã gỡ: không phải khoản chi trả của nhà cung cấp thẻ",
    "payout_returned": "Ngân hàng trả lại tiền nhà trường đã chuyển đi",
    "nothing_found": "Không tìm thấy mã trong nội dung",
    "direction_out": "Tiền ra",
    "amount_not_positive": "Số tiền không hợp lệ",
}
STATES_WAIT: Mapping[str, str] = {
    "new": "Đang đối soát",
    "held": "Số tiền lớn, chờ sao kê xác nhận",
    "waiting": "Chờ người xử lý",
}


def rule_in_words(evidence: Mapping[str, Any] | None) -> str:
    """Return the deciding rule of a match; a rule without words of its own stands as it is."""
    rule = str((evidence or {}).get("rule", ""))
    return RULES.get(rule, rule)


def why_waiting(state: str, evidence: Mapping[str, Any] | None) -> str:
    """Return what a transfer waits for: the matcher's reason if it gave one, else what its state means."""
    reason = rule_in_words(evidence) if state == "waiting" else ""
    return reason or STATES_WAIT[state]
