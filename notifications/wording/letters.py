"""The e-mails (pure): notices, their changes and receipts, in Vietnamese or English, as text and as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from billing.events.going_back import (
    BY_BANK,
    BY_CARD_DISPUTE,
    BY_CARD_FAILED,
    BY_CARD_REFUND,
    BY_CARD_UNBOOKED,
)
from billing.people.names import clean_text, masked
from notifications.rules import Kind
from notifications.wording.facts import ChangeFacts, Facts, InviteFacts, NoticeFacts, ReceiptFacts
from notifications.wording.plain import Language, long_date, within

# The texts are part of the program and are read once; a missing value is an error, never a blank.
_TEXTS = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_SUBJECTS = {
    ("vi", "notice"): "{school}: thông báo thu {period} của học sinh {pupil}",
    ("en", "notice"): "{school}: fees for {period}, pupil {pupil}",
    ("vi", "reminded"): "{school}: nhắc nộp {period} của học sinh {pupil}",
    ("en", "reminded"): "{school}: a reminder of the fees for {period}, pupil {pupil}",
    ("vi", "replaced"): "{school}: thông báo thu {period} của học sinh {pupil} đã được thay bằng thông báo mới",
    ("en", "replaced"): "{school}: new fees for {period} instead of the earlier ones, pupil {pupil}",
    ("vi", "voided"): "{school}: thông báo thu {period} của học sinh {pupil} đã được thu hồi",
    ("en", "voided"): "{school}: fees for {period} withdrawn, pupil {pupil}",
    ("vi", "credited"): "{school}: thông báo thu {period} của học sinh {pupil} đã được giảm",
    ("en", "credited"): "{school}: fees for {period} lowered, pupil {pupil}",
    ("vi", "used"): "{school}: đã trừ tiền tồn vào thông báo thu {period} của học sinh {pupil}",
    ("en", "used"): "{school}: leftover money used for the fees of {period}, pupil {pupil}",
    ("vi", "contract"): "{school}: mời gia đình đọc và trả lời hợp đồng của {pupil}",
    ("en", "contract"): "{school}: a contract for {pupil} to read and answer",
    ("vi", "choice"): "{school}: mời đăng ký {item} cho {pupil}",
    ("en", "choice"): "{school}: you may register {pupil} for {item}",
    ("vi", "taken_back"): "{school}: ngân hàng đã thu hồi tiền nộp {period} của học sinh {pupil}",
    ("en", "taken_back"): "{school}: the bank took back a payment for {period}, pupil {pupil}",
    ("vi", BY_CARD_REFUND): "{school}: đã hoàn về thẻ tiền nộp {period} của học sinh {pupil}",
    ("en", BY_CARD_REFUND): "{school}: given back to your card, fees for {period}, pupil {pupil}",
    ("vi", BY_CARD_DISPUTE): "{school}: ngân hàng của thẻ đã lấy lại tiền nộp {period} của học sinh {pupil}",
    ("en", BY_CARD_DISPUTE): "{school}: the card's bank took back a payment for {period}, pupil {pupil}",
    ("vi", BY_CARD_FAILED): "{school}: lần trả thẻ cho {period} của học sinh {pupil} chưa thành",
    ("en", BY_CARD_FAILED): "{school}: the card payment for {period} of pupil {pupil} did not go through",
    ("vi", BY_CARD_UNBOOKED): "{school}: đã hoàn hết về thẻ, {period} của học sinh {pupil} chưa được ghi là đã nộp",
    ("en", BY_CARD_UNBOOKED): "{school}: given back to your card, {period} of pupil {pupil} not counted as paid",
    ("vi", "receipt"): "{school}: đã nhận {amount} cho học sinh {pupil}",
    ("en", "receipt"): "{school}: {amount} received for pupil {pupil}",
}


@dataclass(frozen=True, slots=True)
class LetterText:
    """A letter's words: subject of one line, plain text, and its HTML twin."""

    subject: str
    text: str
    html: str


# Which texts a kind of message is written with, and which subject it has.
_TEXTS_OF = {
    Kind.BILL_ISSUED: ("notice", "notice"),
    Kind.BILL_REPLACED: ("notice", "replaced"),
    Kind.BILL_REMINDED: ("notice", "reminded"),
    Kind.BILL_VOIDED: ("voided", "voided"),
    Kind.BILL_CREDITED: ("credited", "credited"),
    Kind.CREDIT_USED: ("used", "used"),
    Kind.CONTRACT_OFFERED: ("invited", "contract"),
    Kind.CHOICE_OFFERED: ("invited", "choice"),
    Kind.PAYMENT_RECEIVED: ("receipt", "receipt"),
    Kind.PAYMENT_TAKEN_BACK: ("taken_back", "taken_back"),
    Kind.CARD_UNPAID: ("card_unpaid", BY_CARD_FAILED),
}


def letter(kind: Kind, facts: Facts, guardian: str, language: Language = "vi") -> LetterText:
    """Write a letter of one kind about facts of that kind."""
    what, title = _TEXTS_OF[kind]
    if isinstance(facts, ChangeFacts) and facts.by != BY_BANK:
        title = facts.by
    pupil = masked(facts.pupil)
    subject = _SUBJECTS[language, title].format(school=clean_text(facts.school.name), pupil=pupil, **_more(facts))
    values: dict[str, Any] = {
        "facts": facts,
        "guardian": clean_text(guardian),
        "pupil": pupil,
        "within": within,
        "on": lambda day: long_date(day, language),
        "reminder": kind is Kind.BILL_REMINDED,
        "replaced": facts.replaced if isinstance(facts, NoticeFacts) and kind is Kind.BILL_REPLACED else None,
    }
    return fill(what, language, subject, values)


def _more(facts: Facts) -> dict[str, str]:
    """Return what a subject says besides school and pupil."""
    if isinstance(facts, InviteFacts):
        return {"item": clean_text(facts.item)}
    return {"amount": str(facts.amount)} if isinstance(facts, ReceiptFacts) else {"period": within(facts.period)}


def notice_letter(facts: NoticeFacts, guardian: str, language: Language = "vi") -> LetterText:
    """Write the notice of a payment request."""
    return letter(Kind.BILL_ISSUED, facts, guardian, language)


def receipt_letter(facts: ReceiptFacts, guardian: str, language: Language = "vi") -> LetterText:
    """Write the news that money was received; the receipt itself goes with it as a PDF."""
    return letter(Kind.PAYMENT_RECEIVED, facts, guardian, language)


def fill(what: str, language: Language, subject: str, values: Mapping[str, Any]) -> LetterText:
    """Fill the two texts of a letter."""
    return LetterText(
        subject=subject,
        text=_TEXTS.get_template(f"{language}/{what}.txt").render(values, clean=clean_text),
        html=_TEXTS.get_template(f"{language}/{what}.html").render(values, clean=clean_text, subject=subject),
    )
