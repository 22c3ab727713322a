"""The texts of SMS (pure): one SMS each, in Vietnamese without marks or in English, with the page's link whole.

Carriers pass only texts that were registered under the sender's name, so the fixed words stand here once and are what
the registration form wants (docs/sms.md). Names are cut to make room; a sum, a number, a day or a link never is.
A text tells the pupil's initials and given name, what is asked and the link: no class, nothing of reductions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from billing.events.going_back import (
    BY_BANK,
    BY_CARD_DISPUTE,
    BY_CARD_FAILED,
    BY_CARD_REFUND,
    BY_CARD_UNBOOKED,
)
from billing.money import ZERO, Money
from billing.people.names import masked
from notifications.errors import UnfitText
from notifications.rules import Kind
from notifications.wording.codes import PURPOSES, CodeFacts
from notifications.wording.facts import ChangeFacts, Facts, InviteFacts, NoticeFacts, ReceiptFacts
from notifications.wording.gsm import ALPHABET, ONE_SMS, cut, cut_name, cut_school, is_one_sms, plain, short_school
from notifications.wording.plain import Language, short_date, within

# In this order what may be cut is cut, each down to so many letters.
_LEAST: Final = {"period": 8, "item": 8, "school": 9, "pupil": 6}
_CUT: Final = {"school": cut_school, "pupil": cut_name}
_SOMEBODY: Final = {"vi": "hoc sinh", "en": "your child"}
_LINK: Final = re.compile(r"https?://[A-Za-z0-9._:/-]+")

_TAKEN_BY: Final = {
    ("vi", BY_BANK): "ngan hang da thu hoi",
    ("vi", BY_CARD_REFUND): "da hoan ve the",
    ("vi", BY_CARD_DISPUTE): "ngan hang the da lay lai",
    ("en", BY_BANK): "the bank took back",
    ("en", BY_CARD_REFUND): "given back to the card:",
    ("en", BY_CARD_DISPUTE): "the card's bank took",
    ("vi", BY_CARD_FAILED): "tra the chua thanh",
    ("vi", BY_CARD_UNBOOKED): "da hoan het ve the",
    ("en", BY_CARD_FAILED): "card payment failed:",
    ("en", BY_CARD_UNBOOKED): "back to your card:",
}

_NOT_PAID: Final = {"vi": "Con chua nop ", "en": "Not paid yet: "}
_ALL_PAID: Final = {"vi": "Da nop du", "en": "All is paid"}

TEXTS: Final[Mapping[tuple[Kind, Language], str]] = {
    (Kind.BILL_ISSUED, "vi"): "{school}: {pupil} can nop {amount} ({period}), han {day}. Xem: {link}",
    (Kind.BILL_REPLACED, "vi"): "{school}: bao thu moi {period} cua {pupil}: {amount}, han {day}. {link}",
    (Kind.BILL_REMINDED, "vi"): "{school} nhac: {pupil} chua nop {amount}, han {day}. Da nop xin bo qua. {link}",
    (Kind.BILL_VOIDED, "vi"): "{school} da thu hoi bao thu {number} cua {pupil}, khong nop nua. {link}",
    (Kind.BILL_CREDITED, "vi"): "{school}: bao thu {number} cua {pupil} nay la {now}. Xem: {link}",
    (Kind.CREDIT_USED, "vi"): "{school}: da tru {used} tien ton cua {pupil}, con phai nop {amount}. {link}",
    (Kind.CONTRACT_OFFERED, "vi"): "{school} moi tra loi hop dong {number} cua {pupil}, den het {day}. {link}",
    (Kind.CHOICE_OFFERED, "vi"): "{school} moi dang ky {item} cho {pupil}, den het {day}. {link}",
    (Kind.PAYMENT_RECEIVED, "vi"): "{school} da nhan {amount} cua {pupil} {day}. {rest}. {link}",
    (Kind.PAYMENT_TAKEN_BACK, "vi"): "{school}: {taken_by} {used} cua {pupil}. Can nop {amount}. {link}",
    (Kind.CARD_UNPAID, "vi"): "{school}: {taken_by} {used} cua {pupil}. Nay can nop {amount}. {link}",
    (Kind.BILL_ISSUED, "en"): "{school}: {amount} to pay for {pupil} ({period}) by {day}. See {link}",
    (Kind.BILL_REPLACED, "en"): "{school}: new notice {period} for {pupil}: {amount} by {day}. {link}",
    (Kind.BILL_REMINDED, "en"): "{school}: {amount} not paid yet for {pupil}, due {day}. Paid? Ignore this. {link}",
    (Kind.BILL_VOIDED, "en"): "{school} withdrew notice {number} for {pupil}: do not pay it. {link}",
    (Kind.BILL_CREDITED, "en"): "{school}: notice {number} for {pupil} is now {now}. See {link}",
    (Kind.CREDIT_USED, "en"): "{school}: {used} of leftover used for {pupil}, {amount} to pay. {link}",
    (Kind.CONTRACT_OFFERED, "en"): "{school}: please answer contract {number} for {pupil} by {day}. {link}",
    (Kind.CHOICE_OFFERED, "en"): "{school}: {item} for {pupil}? Answer by {day}. {link}",
    (Kind.PAYMENT_RECEIVED, "en"): "{school} received {amount} for {pupil} {day}. {rest}. {link}",
    (Kind.PAYMENT_TAKEN_BACK, "en"): "{school}: {taken_by} {used} for {pupil}. To pay: {amount}. {link}",
    (Kind.CARD_UNPAID, "en"): "{school}: {taken_by} {used} for {pupil}. To pay now: {amount}. {link}",
}
CODE_TEXTS: Final[Mapping[Language, str]] = {
    "vi": "{school}: ma {code} de {purpose}, trong {minutes} phut. Khong doc ma nay cho bat ky ai.",
    "en": "{school}: code {code} to {purpose}, for {minutes} minutes. Tell it to nobody.",
}


def sms_text(kind: Kind, facts: Facts, language: Language = "vi") -> str:
    """Return the one SMS of a message; raises ``UnfitText`` when its sums and link leave no room for the names."""
    values = {
        "school": short_school(facts.school.name),
        "pupil": plain(masked(facts.pupil)) or _SOMEBODY[language],
        "link": facts.link,
        **_said(facts, language),
    }
    return _fitted(TEXTS[kind, language], values)


def code_sms(facts: CodeFacts, language: Language = "vi") -> str:
    """Return the one SMS with a one-time code; a code that is none is refused."""
    if not (facts.code.isascii() and facts.code.isdigit()):
        raise UnfitText("Mã xác nhận không đúng dạng của tin nhắn SMS.", param="code")
    values = {
        "school": short_school(facts.school.name),
        "code": facts.code,
        "purpose": plain(PURPOSES[facts.purpose, language]),
        "minutes": str(facts.minutes),
    }
    return _fitted(CODE_TEXTS[language], values)


def registered() -> tuple[str, ...]:
    """Return every text as it is registered with the carriers, ``{…}`` where something is filled in."""
    return tuple({*TEXTS.values(), *CODE_TEXTS.values()})


def _said(facts: Facts, language: Language) -> dict[str, str]:
    if isinstance(facts, ReceiptFacts):
        rest = _NOT_PAID[language] + _sum(facts.remaining) if facts.remaining else _ALL_PAID[language]
        return {"amount": _sum(facts.amount), "rest": rest, "day": short_date(facts.paid_on)}
    if isinstance(facts, InviteFacts):
        return {"number": facts.number, "item": plain(facts.item), "day": short_date(facts.until)}
    period = plain(within(facts.period))
    if isinstance(facts, NoticeFacts):
        return {"amount": _sum(facts.now), "period": period, "day": short_date(facts.grace or facts.deadline)}
    return _changed(facts, language) | {"period": period}


def _changed(facts: ChangeFacts, language: Language) -> dict[str, str]:
    return {
        "number": facts.number,
        "now": _sum(facts.now),
        "used": _sum(facts.used),
        "amount": _sum(facts.asked.now if facts.asked else ZERO),
        "taken_by": _TAKEN_BY[language, facts.by],
    }


def _sum(amount: Money) -> str:
    """Return a sum as it is written without marks: ``603.000d``."""
    return str(amount).replace("\u00a0", " ").replace(" đ", "d")


def _fitted(text: str, values: Mapping[str, str]) -> str:
    """Fill a text; what is too long is cut in the order of ``_LEAST``, and refused when that is not enough."""
    filled = {name: value for name, value in values.items() if f"{{{name}}}" in text}
    for name, value in filled.items():
        if not value or not set(value) <= ALPHABET or (name == "link" and not _LINK.fullmatch(value)):
            raise UnfitText("Phần này của tin nhắn SMS trống hoặc có chữ không gửi được.", param=name)
    for name, least in _LEAST.items():
        over = len(text.format(**filled)) - ONE_SMS
        if over > 0 and name in filled:
            filled[name] = _CUT.get(name, cut)(filled[name], max(len(filled[name]) - over, least))
    written = text.format(**filled)
    if not is_one_sms(written):
        raise UnfitText("Tin nhắn SMS dài quá 160 ký tự; hãy dùng địa chỉ trang ngắn hơn.", length=len(written))
    return written
