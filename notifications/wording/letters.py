"""The e-mails (pure): a notice and a receipt, in Vietnamese or English, as text and as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from billing.people.names import clean_text, masked
from notifications.wording.facts import NoticeFacts, ReceiptFacts
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
    ("vi", "receipt"): "{school}: đã nhận {amount} cho học sinh {pupil}",
    ("en", "receipt"): "{school}: {amount} received for pupil {pupil}",
}


@dataclass(frozen=True, slots=True)
class LetterText:
    """A letter's words: subject of one line, plain text, and its HTML twin."""

    subject: str
    text: str
    html: str


def notice_letter(facts: NoticeFacts, guardian: str, language: Language = "vi") -> LetterText:
    """Write the notice of a payment request."""
    return _write("notice", language, facts, guardian, period=within(facts.period))


def receipt_letter(facts: ReceiptFacts, guardian: str, language: Language = "vi") -> LetterText:
    """Write the news that money was received; the receipt itself goes with it as a PDF."""
    return _write("receipt", language, facts, guardian, amount=str(facts.amount))


def fill(what: str, language: Language, subject: str, values: Mapping[str, Any]) -> LetterText:
    """Fill the two texts of a letter."""
    return LetterText(
        subject=subject,
        text=_TEXTS.get_template(f"{language}/{what}.txt").render(values, clean=clean_text),
        html=_TEXTS.get_template(f"{language}/{what}.html").render(values, clean=clean_text, subject=subject),
    )


def _write(
    what: str, language: Language, facts: NoticeFacts | ReceiptFacts, guardian: str, **subject: str
) -> LetterText:
    pupil = masked(facts.pupil)
    values: dict[str, Any] = {
        "facts": facts,
        "guardian": clean_text(guardian),
        "pupil": pupil,
        "within": within,
        "on": lambda day: long_date(day, language),
    }
    title = _SUBJECTS[language, what].format(school=clean_text(facts.school.name), pupil=pupil, **subject)
    return fill(what, language, title, values)
