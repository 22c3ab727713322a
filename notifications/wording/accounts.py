"""The letter to the head and the auditor about a bank account of the school (pure): what is asked, agreed, stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.people.names import clean_text
from notifications.quiet import SCHOOL_TIME
from notifications.wording.facts import SchoolInWords
from notifications.wording.letters import LetterText, fill


class What(StrEnum):
    """What happened to an account that somebody asked for."""

    ASKED = "asked"
    APPROVED = "approved"
    STOPPED = "stopped"
    OPENED = "opened"


_SUBJECTS = {
    What.ASKED: "{school}: có đề nghị về tài khoản nhận tiền",
    What.APPROVED: "{school}: tài khoản nhận tiền mới đã được đồng ý, chờ có hiệu lực",
    What.STOPPED: "{school}: đề nghị về tài khoản nhận tiền đã dừng",
    What.OPENED: "{school}: tài khoản nhận tiền mới đã có hiệu lực",
}


@dataclass(frozen=True, slots=True)
class AccountTold:
    """An account in words."""

    bank: str
    number: str
    holder: str

    @property
    def in_fours(self) -> str:
        """The number as it is read out."""
        return " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))


@dataclass(frozen=True, slots=True)
class AccountNews:
    """What happened to which account; ``old`` is the one to be replaced, if any."""

    school: SchoolInWords
    what: What
    new: AccountTold
    old: AccountTold | None
    reason: str
    at: datetime
    in_force_at: datetime | None
    link: str


def account_letter(news: AccountNews, name: str) -> LetterText:
    """Write the letter to one colleague."""
    subject = _SUBJECTS[news.what].format(school=clean_text(news.school.name))
    values = {"facts": news, "name": clean_text(name), "when": _moment, "what": news.what.value}
    return fill("account", "vi", subject, values)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(SCHOOL_TIME):%H:%M ngày %d/%m/%Y}"
