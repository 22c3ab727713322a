"""The two jobs of notices: events become messages, and messages that are due go out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.documents.receipt_pdf import receipt_pdf
from billing.payments.tables import PaymentRequest
from notifications.channels.base import Accepted, Channel
from notifications.errors import DeliveryProblem, Unreachable
from notifications.planning import plan_event, unplanned
from notifications.rendering import Desk
from notifications.rules import Kind, Via
from notifications.sending import Taken, Untaken, bring_forward, due, note_breakdown, store, take
from notifications.wording.plain import Language
from reconciliation.receipt_source import sourced_receipt
from service.access.links import ensure_link
from service.channels import available_channels, open_channels
from service.database import EVERYTHING, Scope
from service.settings import Settings
from service.wiring import Wiring

_log = logging.getLogger(__name__)
_MOST_PER_CALL = 2000
_LOOK_AHEAD = 200
_BATCH = 50
_SENDERS = 4  # a provider's answer takes far longer than our part of the work


def plan(wiring: Wiring) -> int:
    """Turn events into messages, a few of one school in a transaction; return how many events were planned."""
    available = available_channels(wiring.settings)
    planned = 0
    while planned < _MOST_PER_CALL:
        with wiring.database.transaction(EVERYTHING) as session:
            waiting = unplanned(session, _LOOK_AHEAD)
        done = sum(_plan_batch(wiring, school_id, ids, available) for school_id, ids in _batches(waiting))
        planned += done
        if not done:
            break
    if planned:
        wiring.ring("notifications.send")
    return planned


def send(wiring: Wiring) -> int:
    """Send what is due; return how many messages were dealt with."""
    dealt = 0
    with open_channels(wiring) as channels, ThreadPoolExecutor(_SENDERS) as senders:
        post = _Post(wiring, channels, desk(wiring))
        while dealt < _MOST_PER_CALL:
            with wiring.database.transaction(EVERYTHING) as session:
                waiting = due(session, wiring.clock(), _LOOK_AHEAD)
            done = sum(senders.map(post.deliver, waiting))
            dealt += done
            if not done:
                break
    return dealt


def desk(wiring: Wiring) -> Desk:
    """Return what the writing of messages needs: links, receipts as PDF, Zalo's templates."""

    def link_for(session: Session, request: PaymentRequest) -> str:
        return ensure_link(session, wiring.link_key, wiring.settings.base_url, request, wiring.clock())

    def print_receipt(session: Session, receipt_id: UUID, link: str) -> bytes:
        return receipt_pdf(sourced_receipt(session, receipt_id, link))

    return Desk(wiring.vault, link_for, print_receipt, zalo_templates(wiring.settings))


def zalo_templates(settings: Settings) -> Mapping[tuple[Kind, Language], str]:
    """Return the ids that Zalo gave our templates when it approved them."""
    return {
        (Kind.BILL_ISSUED, "vi"): settings.zalo_template_notice,
        (Kind.PAYMENT_RECEIVED, "vi"): settings.zalo_template_receipt,
    }


@dataclass(frozen=True, slots=True)
class _Post:
    """One run of sending; used by several threads, each message in transactions of its own."""

    wiring: Wiring
    channels: Mapping[Via, Channel[Any]]
    desk: Desk

    def deliver(self, waiting: tuple[UUID, UUID]) -> bool:
        """Deal with one message; False if somebody else has it."""
        school_id, message_id = waiting
        try:
            with self.wiring.database.transaction(Scope.of(school_id)) as session:
                taken = take(session, message_id, self.desk, self.wiring.clock())
        except Exception:  # noqa: BLE001  one bad message must not stop the others; it is put back, counted and told
            _log.exception("message %s could not be written", message_id)
            with self.wiring.database.transaction(Scope.of(school_id)) as session:
                note_breakdown(session, message_id, self.wiring.clock())
            return True
        if isinstance(taken, Untaken):
            return taken is Untaken.SETTLED
        answer = self._call(taken)
        with self.wiring.database.transaction(Scope.of(school_id)) as session:
            store(session, message_id, answer, self.wiring.clock())
        if isinstance(answer, Accepted) and taken.tries > 1:
            with self.wiring.database.transaction(EVERYTHING) as session:
                bring_forward(session, taken.channel, self.wiring.clock())
        return True

    def _call(self, taken: Taken) -> Accepted | DeliveryProblem:
        channel = self.channels.get(Via(taken.channel))
        if channel is None:
            return Unreachable("Kênh này không còn được cài đặt.", channel=taken.channel, code="no_channel")
        try:
            return channel.send(taken.outgoing)
        except DeliveryProblem as problem:
            return problem


def _batches(waiting: list[tuple[UUID, int]]) -> list[tuple[UUID, list[int]]]:
    """Group events by school, oldest first, at most 50 in a batch."""
    by_school: dict[UUID, list[int]] = {}
    for school_id, event_id in waiting:
        by_school.setdefault(school_id, []).append(event_id)
    return [
        (school_id, ids[start : start + _BATCH])
        for school_id, ids in by_school.items()
        for start in range(0, len(ids), _BATCH)
    ]


def _plan_batch(wiring: Wiring, school_id: UUID, ids: list[int], available: frozenset[Via]) -> int:
    """Plan some events of one school together; if one of them cannot be planned, each by itself."""
    try:
        with wiring.database.transaction(Scope.of(school_id)) as session:
            return sum(plan_event(session, event_id, wiring.clock(), available) is not None for event_id in ids)
    except Exception:  # noqa: BLE001  one bad event must not stop the others; it stays unplanned and is told
        if len(ids) == 1:
            _log.exception("event %s could not be planned", ids[0])
            return 0
    return sum(_plan_batch(wiring, school_id, [event_id], available) for event_id in ids)
