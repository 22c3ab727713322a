"""A one-time code leaves at once, while its page waits: handed to Zalo or the mail server after the commit.

It does not go through the outbox: its words cannot be made again from rows, since only a digest of the code is stored;
it may not wait for the morning; and after a doubtful answer nobody sends it again but the person who asks anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from notifications.channels.base import Message as Outgoing
from notifications.channels.mail import Letter
from notifications.channels.zalo import TemplateMessage
from notifications.errors import DeliveryProblem, UnknownOutcome
from notifications.rules import Via
from notifications.wording.codes import CodeFacts, code_letter, code_params
from notifications.wording.plain import Language
from service.access.errors import CodeNotSent
from service.channels import available_channels, open_channels
from service.settings import Settings
from service.wiring import Wiring

_log = logging.getLogger(__name__)
_VIA = {"phone": Via.ZALO, "email": Via.MAIL}


@dataclass(frozen=True, slots=True)
class CodeToSend:
    """A code on its way: in memory only, from the commit of its row to the provider's answer."""

    code_id: UUID
    kind: str
    to: str = field(repr=False)
    masked: str
    facts: CodeFacts
    language: Language
    written_at: datetime


SendCode = Callable[[CodeToSend], None]


def code_kinds(settings: Settings) -> frozenset[str]:
    """Return the kinds of contact to which a code can be sent."""
    ways = available_channels(settings)
    ready = {"phone": Via.ZALO in ways and bool(settings.zalo_template_code), "email": Via.MAIL in ways}
    return frozenset(kind for kind, is_set in ready.items() if is_set)


def code_sender(wiring: Wiring) -> SendCode:
    """Return what hands a code to its channel; raises ``CodeNotSent`` when that surely failed."""

    def send(code: CodeToSend) -> None:
        try:
            with open_channels(wiring) as channels:
                channels[_VIA[code.kind]].send(_outgoing(wiring.settings, code))
        except UnknownOutcome:
            _log.warning("code %s: nobody knows whether it was accepted", code.code_id)
        except DeliveryProblem as problem:
            _log.warning("code %s was not accepted by %s: %s", code.code_id, problem.channel, problem.code)
            raise CodeNotSent(code.masked) from problem

    return send


def _outgoing(settings: Settings, code: CodeToSend) -> Outgoing:
    if code.kind == "phone":
        return TemplateMessage(str(code.code_id), code.to, settings.zalo_template_code, code_params(code.facts, "vi"))
    words = code_letter(code.facts, code.language)
    return Letter(
        tracking_id=str(code.code_id),
        to=code.to,
        subject=words.subject,
        text=words.text,
        html=words.html,
        written_at=code.written_at,
        from_name=code.facts.school.name,
    )
