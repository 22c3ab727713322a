"""A one-time code leaves at once, while its page waits: handed to Zalo, eSMS or the mail server after the commit.

A phone gets it by Zalo, and by SMS when Zalo surely did not take it and the school pays for SMS.

It does not go through the outbox: its words cannot be made again from rows, since only a digest of the code is stored;
it may not wait for the morning; and after a doubtful answer nobody sends it again but the person who asks anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from notifications.channels.base import Accepted, Channel
from notifications.channels.esms import SmsMessage
from notifications.channels.mail import Letter
from notifications.channels.zalo import TemplateMessage
from notifications.errors import DeliveryProblem, UnfitText, UnknownOutcome
from notifications.rules import Via
from notifications.sms_budget import Phone, monthly_now, take_text
from notifications.sms_course import settle_code
from notifications.sms_tables import SmsText
from notifications.wording.codes import CodeFacts, code_letter, code_params
from notifications.wording.plain import Language
from notifications.wording.sms import code_sms
from service.access.errors import CodeNotSent
from service.channels import available_channels, open_channels
from service.database import Scope
from service.settings import Settings
from service.wiring import Wiring

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CodeToSend:
    """A code on its way: in memory only, from the commit of its row to the provider's answer; ``blind`` is ``to``'s."""

    school_id: UUID
    code_id: UUID
    kind: str
    blind: bytes
    to: str = field(repr=False)
    masked: str
    facts: CodeFacts
    language: Language
    written_at: datetime


SendCode = Callable[[CodeToSend], None]


def code_kinds(session: Session, settings: Settings, school_id: UUID) -> frozenset[str]:
    """Return the kinds of contact to which a code of a school can be sent."""
    ways = available_channels(settings)
    by_zalo = Via.ZALO in ways and bool(settings.zalo_template_code)
    by_sms = Via.SMS in ways and monthly_now(session, school_id) > 0
    ready = {"phone": by_zalo or by_sms, "email": Via.MAIL in ways}
    return frozenset(kind for kind, is_set in ready.items() if is_set)


def code_sender(wiring: Wiring) -> SendCode:
    """Return what hands a code to its channel; raises ``CodeNotSent`` when that surely failed."""

    def send(code: CodeToSend) -> None:
        try:
            with open_channels(wiring) as channels:
                _send(wiring, channels, code)
        except UnknownOutcome:
            _log.warning("code %s: nobody knows whether it was accepted", code.code_id)
        except DeliveryProblem as problem:
            _log.warning("code %s was not accepted by %s: %s", code.code_id, problem.channel, problem.code)
            raise CodeNotSent(code.masked) from problem
        except UnfitText as problem:
            _log.warning("code %s does not fit: %s", code.code_id, problem)
            raise CodeNotSent(code.masked) from problem

    return send


def _send(wiring: Wiring, channels: Mapping[Via, Channel[Any]], code: CodeToSend) -> None:
    """Send a code; a phone that Zalo does not reach is tried by SMS."""
    if code.kind != "phone":
        channels[Via.MAIL].send(_letter(code))
        return
    by_zalo = Via.ZALO in channels and bool(wiring.settings.zalo_template_code)
    if by_zalo:
        try:
            channels[Via.ZALO].send(_template(wiring.settings, code))
        except UnknownOutcome:
            raise
        except DeliveryProblem as problem:
            if Via.SMS not in channels:
                raise
            _log.info("code %s goes on by SMS, since Zalo said %s", code.code_id, problem.code)
        else:
            return
    _by_sms(wiring, channels[Via.SMS], code)


def _by_sms(wiring: Wiring, channel: Channel[Any], code: CodeToSend) -> None:
    """Take the text from the school's month, send it, and write down what was answered."""
    words = SmsMessage(str(code.code_id), code.to, code_sms(code.facts, code.language))
    now = wiring.clock()
    with wiring.database.transaction(Scope.of(code.school_id)) as session:
        refusal = take_text(session, code.school_id, Phone(code.blind, code_id=code.code_id), now)
    if refusal is not None:
        raise refusal
    answer: Accepted | DeliveryProblem
    try:
        answer = channel.send(words)
    except DeliveryProblem as problem:
        answer = problem
    with wiring.database.transaction(Scope.of(code.school_id)) as session:
        row = session.exec(select(SmsText).where(SmsText.code_id == code.code_id).with_for_update()).one()
        settle_code(row, answer, wiring.clock())
    if isinstance(answer, DeliveryProblem):
        raise answer


def _template(settings: Settings, code: CodeToSend) -> TemplateMessage:
    return TemplateMessage(str(code.code_id), code.to, settings.zalo_template_code, code_params(code.facts, "vi"))


def _letter(code: CodeToSend) -> Letter:
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
