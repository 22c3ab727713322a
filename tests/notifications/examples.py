"""Invented facts that tests of messages share."""

from __future__ import annotations

from datetime import date
from typing import Any

from billing.money import Money
from notifications.wording.facts import Account, ChangeFacts, Line, NoticeFacts, ReceiptFacts, SchoolInWords, StillAsked

SCHOOL = SchoolInWords("Trường Tiểu học Đồng Tâm", "02713 880 112")
ACCOUNT = Account("Agribank", "5600201012345", "TRUONG TIEU HOC DONG TAM")
LINK = "http://127.0.0.1:8000/t/qW3rT5yU7iO9pA1sD2fG4h"


def a_notice(**changes: object) -> NoticeFacts:
    values: dict[str, Any] = {
        "school": SCHOOL,
        "pupil": "Nguyễn Thị Minh Anh",
        "school_class": "3A",
        "period": "Tháng 9/2025",
        "lines": (
            Line("Tiền ăn bán trú", Money(616_000), "22 ngày × 28.000 đ"),
            Line("Nước uống", Money(15_000)),
        ),
        "due": Money(603_000),
        "deadline": date(2025, 9, 15),
        "account": ACCOUNT,
        "reference": "FWAB3CD4EF5",
        "link": LINK,
        "leftover": Money(28_000),
    }
    values.update(changes)
    return NoticeFacts(**values)


def gone_back(by: str, **changes: object) -> ChangeFacts:
    values: dict[str, Any] = {
        "school": SCHOOL,
        "pupil": "Nguyễn Thị Minh Anh",
        "school_class": "3A",
        "period": "Tháng 9/2025",
        "number": "TB-2025-000123",
        "was": Money(603_000),
        "now": Money(603_000),
        "link": LINK,
        "used": Money(150_000),
        "asked": StillAsked(Money(150_000), date(2025, 9, 15), Money(150_000)),
        "by": by,
    }
    values.update(changes)
    return ChangeFacts(**values)


def a_receipt(**changes: object) -> ReceiptFacts:
    values: dict[str, Any] = {
        "school": SCHOOL,
        "pupil": "Nguyễn Thị Minh Anh",
        "school_class": "3A",
        "number": "BL-2025-000123",
        "amount": Money(500_000),
        "paid_on": date(2025, 9, 7),
        "lines": (Line("Tiền ăn bán trú", Money(485_000)), Line("Nước uống", Money(15_000))),
        "link": LINK,
        "remaining": Money(103_000),
    }
    values.update(changes)
    return ReceiptFacts(**values)
