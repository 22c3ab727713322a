"""The message with a one-time code (pure): as a letter and as parameters of Zalo's template (as SMS: ``sms.py``).

It names the school, the code, what it opens and how long; neither a child nor a sum, so that a glance at a locked
screen tells nothing. No link: whoever asked has the page open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from billing.people.names import clean_text
from notifications.errors import UnfitText
from notifications.wording.facts import SchoolInWords
from notifications.wording.letters import LetterText, fill
from notifications.wording.plain import Language, fitted
from notifications.wording.zns import LIMITS, ZnsTemplate

Purpose = Literal["explain", "register", "agree"]

PURPOSES = {
    ("explain", "vi"): "xem cách tính thông báo thu",
    ("explain", "en"): "see how a notice is worked out",
    ("register", "vi"): "đăng ký nhận thông báo thu",
    ("register", "en"): "register for fee notices",
    ("agree", "vi"): "đồng ý hợp đồng với nhà trường",
    ("agree", "en"): "agree to a contract with the school",
}
_SUBJECTS = {"vi": "{school}: mã xác nhận {code}", "en": "{school}: your code is {code}"}


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What a code is, who sends it, what it is for, and for how many minutes it is good."""

    school: SchoolInWords
    code: str = field(repr=False)
    purpose: Purpose
    minutes: int


def code_letter(facts: CodeFacts, language: Language = "vi") -> LetterText:
    """Write the letter."""
    subject = _SUBJECTS[language].format(school=clean_text(facts.school.name), code=facts.code)
    return fill("code", language, subject, {"facts": facts, "purpose": PURPOSES[facts.purpose, language]})


def code_params(facts: CodeFacts, language: Language = "vi") -> dict[str, str]:
    """Return what fills Zalo's template; a code that does not fit is refused, never cut."""
    if not 0 < len(facts.code) <= LIMITS["otp"] or not facts.code.isdigit():
        raise UnfitText("Mã xác nhận không đúng dạng của mẫu Zalo.", param="otp")
    return {
        "otp": facts.code,
        "minutes": str(facts.minutes),
        "purpose": PURPOSES[facts.purpose, language],
        "school_name": fitted(facts.school.name, LIMITS["school_name"]),
    }


def code_template(language: Language) -> ZnsTemplate:
    """Return our text of the template; it has no button."""
    path = Path(__file__).parent / language / "code.zns.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = tuple((label, value) for label, value in found["rows"])
    return ZnsTemplate(found["title"], tuple(found["paragraphs"]), rows, ("", ""))
