"""What became of SMS: eSMS says "accepted" at once, and whether a text arrived only when it is asked later."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from notifications.channels.base import Channel
from notifications.channels.esms import EsmsChannel, Told
from notifications.errors import TemporaryFailure
from notifications.rules import Via
from notifications.sms_course import note_look, to_look
from service.channels import open_channels
from service.database import EVERYTHING, Scope
from service.wiring import Wiring

_log = logging.getLogger(__name__)
_TOGETHER = 20
_MOST_PER_CALL = 1000


def look(wiring: Wiring) -> int:
    """Ask about the texts whose time has come; return how many. What did not arrive goes on by the next channel."""
    looked = 0
    with open_channels(wiring) as channels:
        channel = channels.get(Via.SMS)
        while looked < _MOST_PER_CALL:
            with wiring.database.transaction(EVERYTHING) as session:
                due = to_look(session, wiring.clock(), _TOGETHER)
            if not due:
                break
            for school_id, text_id, provider_id in due:
                _note(wiring, school_id, text_id, _ask(channel, text_id, provider_id))
            looked += len(due)
    if looked:
        wiring.ring("notifications.send")
    return looked


def _ask(channel: Channel[Any] | None, text_id: UUID, provider_id: str) -> Told | None:
    """Ask eSMS; None when it does not tell now, or is not set up any more."""
    if not isinstance(channel, EsmsChannel):
        return None
    try:
        return channel.ask(provider_id)
    except TemporaryFailure as problem:
        _log.info("nothing is told of text %s: %s", text_id, problem.code)
        return None


def _note(wiring: Wiring, school_id: UUID, text_id: UUID, told: Told | None) -> None:
    with wiring.database.transaction(Scope.of(school_id)) as session:
        note_look(session, text_id, told, wiring.clock())
