"""Zalo's templates (pure): their texts as handed to Zalo for approval, and the parameters that fill them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from billing.events.going_back import (
    BY_BANK,
    BY_CARD_DISPUTE,
    BY_CARD_FAILED,
    BY_CARD_REFUND,
    BY_CARD_UNBOOKED,
)
from billing.money import ZERO
from billing.people.names import masked
from notifications.errors import UnfitText
from notifications.rules import Kind
from notifications.wording.facts import ChangeFacts, Facts, InviteFacts, NoticeFacts, ReceiptFacts
from notifications.wording.plain import Language, fitted, fitted_name, safe, short_date, within

_FILES = {
    Kind.BILL_ISSUED: "notice",
    Kind.BILL_REPLACED: "replaced",
    Kind.BILL_REMINDED: "reminded",
    Kind.BILL_VOIDED: "voided",
    Kind.BILL_CREDITED: "credited",
    Kind.CREDIT_USED: "used",
    Kind.CONTRACT_OFFERED: "contract",
    Kind.CHOICE_OFFERED: "choice",
    Kind.PAYMENT_RECEIVED: "receipt",
    Kind.PAYMENT_TAKEN_BACK: "taken_back",
    Kind.CARD_UNPAID: "card_unpaid",
}
_PAGE = re.compile(r".*/(?:t|hd)/")
_TAKEN_BY = {
    ("vi", BY_BANK): "Ngân hàng thu hồi tiền",
    ("vi", BY_CARD_REFUND): "Trường hoàn tiền về thẻ",
    ("vi", BY_CARD_DISPUTE): "Ngân hàng thẻ lấy lại tiền",
    ("en", BY_BANK): "Taken back by the bank",
    ("en", BY_CARD_REFUND): "Given back to the card",
    ("en", BY_CARD_DISPUTE): "Taken by the card's bank",
}
_OUTCOMES = {
    ("vi", BY_CARD_FAILED): "Trả thẻ chưa thành",
    ("vi", BY_CARD_UNBOOKED): "Đã hoàn hết về thẻ",
    ("en", BY_CARD_FAILED): "Card payment failed",
    ("en", BY_CARD_UNBOOKED): "All given back to card",
}
_GUARDIAN = {"vi": "Phụ huynh", "en": "Parent"}

# The most characters of each parameter: Zalo's own limits, and a shorter school name to stay within 400 in all.
LIMITS: Mapping[str, int] = {
    "customer_name": 30,
    "student_name": 30,
    "school_class": 30,
    "school_name": 60,
    "period": 30,
    "amount": 20,
    "whole": 20,
    "number": 20,
    "old_number": 20,
    "was": 20,
    "now": 20,
    "kept": 20,
    "used": 20,
    "remaining": 20,
    "due_date": 10,
    "item_name": 60,
    "paid_date": 10,
    "receipt_number": 30,
    "link_code": 30,
    "otp": 10,
    "minutes": 3,
    "purpose": 60,
    "taken_by": 26,
    "outcome": 26,
}


@dataclass(frozen=True, slots=True)
class ZnsTemplate:
    """One template as Zalo approves it; ``<name>`` in a text is a parameter, the button ends in one.

    ``page``: the first part of our page's address, fixed at approval, as *t* in ``/t/<link_code>``.
    """

    title: str
    paragraphs: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    button: tuple[str, str]
    page: str = "t"

    def params(self) -> dict[str, int]:
        """Return each parameter with its limit."""
        words = " ".join([self.title, *self.paragraphs, *(value for _, value in self.rows), self.button[1]])
        return {name: LIMITS[name] for name in re.findall(r"<([a-z_]+)>", words)}


def template(kind: Kind, language: Language) -> ZnsTemplate:
    """Return our text of a template. In production its id is what Zalo gave us when approving it."""
    path = Path(__file__).parent / language / f"{_FILES[kind]}.zns.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    return ZnsTemplate(
        title=found["title"],
        paragraphs=tuple(found["paragraphs"]),
        rows=tuple((label, value) for label, value in found["rows"]),
        button=(found["button"][0], found["button"][1]),
        page=found.get("page", "t"),
    )


def zns_params(kind: Kind, facts: Facts, guardian: str, language: Language = "vi") -> dict[str, str]:
    """Return what fills the template of a kind of message; each value fits, or ``UnfitText``."""
    if isinstance(facts, ReceiptFacts):
        return receipt_params(facts, guardian, language)
    if isinstance(facts, ChangeFacts):
        return change_params(kind, facts, guardian, language)
    if isinstance(facts, InviteFacts):
        return invite_params(facts, guardian, language)
    params = notice_params(facts, guardian, language)
    if kind is not Kind.BILL_REPLACED:
        return params
    old, new = facts.replaced or ("", "")
    del params["school_class"]
    return _checked(params | {"old_number": safe(old), "number": safe(new)})


def change_params(kind: Kind, facts: ChangeFacts, guardian: str, language: Language = "vi") -> dict[str, str]:
    """Return what fills the message of a notice taken back or lowered; each value fits, or ``UnfitText``."""
    params = _shared(facts, guardian, language) | {
        "period": fitted(within(facts.period), LIMITS["period"]),
        "number": safe(facts.number),
        "was": str(facts.was),
        "amount": str(facts.asked.now if facts.asked else ZERO),
    }
    del params["school_class"]  # 400 characters are all that Zalo takes
    if kind is Kind.BILL_CREDITED:
        params |= {"now": str(facts.now), "kept": str(facts.given_back)}
    if kind in {Kind.CREDIT_USED, Kind.PAYMENT_TAKEN_BACK, Kind.CARD_UNPAID}:
        del params["was"]
        params["used"] = str(facts.used)
    if kind is Kind.PAYMENT_TAKEN_BACK:
        params["taken_by"] = _TAKEN_BY[language, facts.by]
    if kind is Kind.CARD_UNPAID:
        params["outcome"] = _OUTCOMES[language, facts.by]
    return _checked(params)


def invite_params(facts: InviteFacts, guardian: str, language: Language = "vi") -> dict[str, str]:
    """Return what fills an invitation to answer; each value fits, or ``UnfitText``."""
    about = {"number": safe(facts.number)} if facts.number else {"item_name": fitted(facts.item, LIMITS["item_name"])}
    return _checked(_people(facts, guardian, language) | about | {"due_date": short_date(facts.until)})


def notice_params(facts: NoticeFacts, guardian: str, language: Language = "vi") -> dict[str, str]:
    """Return what fills the notice; each value fits, or ``UnfitText``."""
    return _checked(
        _shared(facts, guardian, language)
        | {
            "period": fitted(within(facts.period), LIMITS["period"]),
            "amount": str(facts.now),
            "whole": str(facts.due),
            "due_date": short_date(facts.grace or facts.deadline),
        }
    )


def receipt_params(facts: ReceiptFacts, guardian: str, language: Language = "vi") -> dict[str, str]:
    """Return what fills the receipt; each value fits, or ``UnfitText``."""
    return _checked(
        _shared(facts, guardian, language)
        | {
            "amount": str(facts.amount),
            "paid_date": short_date(facts.paid_on),
            "receipt_number": safe(facts.number),
            "remaining": str(facts.remaining),
        }
    )


def _shared(facts: NoticeFacts | ChangeFacts | ReceiptFacts, guardian: str, language: Language) -> dict[str, str]:
    school_class = fitted(facts.school_class, LIMITS["school_class"])
    return _people(facts, guardian, language) | {"school_class": school_class}


def _people(facts: Facts, guardian: str, language: Language) -> dict[str, str]:
    return {
        "customer_name": fitted_name(guardian, LIMITS["customer_name"]) or _GUARDIAN[language],
        "student_name": fitted_name(masked(facts.pupil), LIMITS["student_name"]),
        "school_name": fitted(facts.school.name, LIMITS["school_name"]),
        # The button's address is fixed at approval up to the page's first part; what follows is ours to fill.
        "link_code": _PAGE.sub("", facts.link),
    }


def _checked(params: dict[str, str]) -> dict[str, str]:
    """Amounts, numbers and codes are never cut: one that does not fit is refused, not shown wrong."""
    for name, value in params.items():
        if not 0 < len(value) <= LIMITS[name] or value != safe(value):
            raise UnfitText(f"Tham số {name} của mẫu Zalo không hợp lệ (1–{LIMITS[name]} ký tự).", param=name)
    return params
