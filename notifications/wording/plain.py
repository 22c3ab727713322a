"""Small pieces of every text (pure): clean characters, lengths that fit, dates with their weekday."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Literal

from billing.people.names import clean_text

Language = Literal["vi", "en"]

# What a template parameter may hold besides letters, marks, digits and spaces. No < > { } [ ] | \ ^ ` ~.
_SIGNS = frozenset(".,:;!?()/-–+&'\"%#*@_=…₫°")
_WEEKDAYS = {
    "vi": ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


def safe(text: str) -> str:
    """Return one line of NFC text with only letters, marks, digits, spaces and everyday signs."""
    kept = "".join(sign if _allowed(sign) else " " for sign in clean_text(text))
    return unicodedata.normalize("NFC", " ".join(kept.split()))


def fitted(text: str, limit: int) -> str:
    """Return ``safe`` text of at most ``limit`` characters, cut at a word if it can be, with "…" for the rest."""
    clean = safe(text)
    if len(clean) <= limit:
        return clean
    cut = clean[: limit - 1]
    whole_words = cut if clean[limit - 1] == " " else cut.rpartition(" ")[0]
    return (whole_words if len(whole_words) * 2 >= limit else _whole_letters(cut)).rstrip(" ,;:-–(") + "…"


def fitted_name(name: str, limit: int) -> str:
    """Return a person's name of at most ``limit`` characters; a Vietnamese name loses its front, never its end."""
    words = safe(name).split(" ")
    while len(words) > 1 and len(" ".join(words)) > limit:
        words.pop(0)
    return fitted(" ".join(words), limit)


def within(text: str) -> str:
    """Return a title as it stands within a sentence: ``Tháng 9/2025`` gives ``tháng 9/2025``, ``BHYT`` stays."""
    clean = clean_text(text)
    return clean[:1].lower() + clean[1:] if clean[1:2].islower() else clean


def short_date(day: date) -> str:
    """Return ``15/09/2025``: ten characters, as templates allow for a date."""
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


def long_date(day: date, language: Language = "vi") -> str:
    """Return ``Thứ Hai, 15/09/2025`` or ``Monday, 15/09/2025``."""
    return f"{_WEEKDAYS[language][day.weekday()]}, {short_date(day)}"


def _allowed(sign: str) -> bool:
    return sign == " " or sign in _SIGNS or unicodedata.category(sign)[0] in "LMN"


def _whole_letters(text: str) -> str:
    """Drop a last letter that may have lost its marks to the cut."""
    while text and unicodedata.combining(text[-1]):
        text = text[:-1]
    return text
