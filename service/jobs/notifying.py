"""The two jobs of notices: events become messages, and messages that are due go out."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.documents.receipt_pdf import receipt_pdf
from billing.payments.tables import PaymentRequest
from notifications.channels.base import Accepted, Channel
from notifications.errors import DeliveryProblem, Unreachable
from notifications.planning import plan_events, unplanned
from notifications.rendering import Desk
from notifications.rules import Kind, Via
from notifications.sending import Reserved, Written, bring_forward, claim, note_breakdown, reserve, store, write
from notifications.wording.plain import Language
from reconciliation.receipt_source import sourced_receipts
from service.access.contract_links import live_addresses
from service.access.links import ensure_links
from service.channels import available_channels, open_channels
from service.database import EVERYTHING, Scope
from service.jobs import accounts
from service.settings import Settings
from service.wiring import Wiring

_log = logging.getLogger(__name__)
_MOST_PER_CALL = 2000
_LOOK_AHEAD = 200
_BATCH = 50
_SENDERS = 4  # a provider's answer takes far longer than our part of the work
_TOGETHER = 25  # written together; at a provider's usual second each, they are out well before others may take them


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
                reserved = reserve(session, wiring.clock(), _SENDERS * _TOGETHER, _TOGETHER)
            if not reserved:
                break
            dealt += sum(senders.map(post.deliver, reserved))
        dealt += accounts.tell_staff(wiring, channels)
    return dealt


def desk(wiring: Wiring) -> Desk:
    """Return what the writing of messages needs: links, receipts as PDF, Zalo's templates."""

    def links(session: Session, requests: Sequence[PaymentRequest]) -> Mapping[UUID, str]:
        return ensure_links(session, wiring.link_key, wiring.settings.base_url, requests, wiring.clock())

    def receipt_pdfs(session: Session, pages: Mapping[UUID, str]) -> Mapping[UUID, bytes]:
        return {receipt_id: receipt_pdf(each) for receipt_id, each in sourced_receipts(session, pages).items()}

    def contracts(session: Session, ids: Collection[UUID]) -> Mapping[UUID, str]:
        return live_addresses(session, wiring.link_key, wiring.settings.base_url, ids, wiring.clock())

    return Desk(wiring.vault, links, receipt_pdfs, zalo_templates(wiring.settings), contracts)


def zalo_templates(settings: Settings) -> Mapping[tuple[Kind, Language], str]:
    """Return the ids that Zalo gave our templates when it approved them."""
    return {
        (Kind.BILL_ISSUED, "vi"): settings.zalo_template_notice,
        (Kind.BILL_REPLACED, "vi"): settings.zalo_template_replaced,
        (Kind.BILL_VOIDED, "vi"): settings.zalo_template_voided,
        (Kind.BILL_CREDITED, "vi"): settings.zalo_template_credited,
        (Kind.CREDIT_USED, "vi"): settings.zalo_template_used,
        (Kind.BILL_REMINDED, "vi"): settings.zalo_template_reminded,
        (Kind.CONTRACT_OFFERED, "vi"): settings.zalo_template_contract,
        (Kind.CHOICE_OFFERED, "vi"): settings.zalo_template_choice,
        (Kind.PAYMENT_RECEIVED, "vi"): settings.zalo_template_receipt,
        (Kind.PAYMENT_TAKEN_BACK, "vi"): settings.zalo_template_taken_back,
        (Kind.CARD_UNPAID, "vi"): settings.zalo_template_card_unpaid,
    }


_Answer = Accepted | DeliveryProblem
_Answered = tuple[Written, _Answer]


@dataclass(frozen=True, slots=True)
class _Post:
    """One run of sending; used by several threads, each with reserved messages of its own."""

    wiring: Wiring
    channels: Mapping[Via, Channel[Any]]
    desk: Desk

    def deliver(self, reserved: Reserved) -> int:
        """Write reserved messages together and send them one after the other; return how many were dealt with."""
        try:
            with self.wiring.database.transaction(Scope.of(reserved.school_id)) as session:
                written = write(session, reserved, self.desk, self.wiring.clock())
        except Exception:  # noqa: BLE001  one bad message must not stop the others; it is put back, counted and told
            if len(reserved.message_ids) > 1:
                return sum(self.deliver(replace(reserved, message_ids=(one,))) for one in reserved.message_ids)
            self._put_back(reserved)
            return 1
        return len(reserved.message_ids) - self._send(reserved.school_id, written)

    def _put_back(self, reserved: Reserved) -> None:
        (message_id,) = reserved.message_ids
        _log.exception("message %s could not be written", message_id)
        with self.wiring.database.transaction(Scope.of(reserved.school_id)) as session:
            note_breakdown(session, message_id, self.wiring.clock())

    def _send(self, school_id: UUID, written: Sequence[Written]) -> int:
        """Claim, call and store one message after the other; return how many somebody else had."""
        held = 0
        last: _Answered | None = None
        working: set[str] = set()
        for one in (*written, None):
            ours = self._store_and_claim(school_id, last, one)
            last = None
            if one is None or not ours:
                held += one is not None
                continue
            last = one, self._call(one)
            if one.tries and isinstance(last[1], Accepted):
                working.add(one.channel)
        self._bring_forward(working)
        return held

    def _store_and_claim(self, school_id: UUID, last: _Answered | None, following: Written | None) -> bool:
        """Store an answer and claim the message after it, in one transaction; tell whether that is ours to send."""
        now = self.wiring.clock()
        with self.wiring.database.transaction(Scope.of(school_id)) as session:
            if last is not None:
                store(session, last[0].message_id, last[1], now)
            return following is not None and claim(session, following, now)

    def _bring_forward(self, channels: Collection[str]) -> None:
        """Let what waits go on by channels that have just taken a message they had refused."""
        for channel in channels:
            with self.wiring.database.transaction(EVERYTHING) as session:
                bring_forward(session, channel, self.wiring.clock())

    def _call(self, written: Written) -> _Answer:
        channel = self.channels.get(Via(written.channel))
        if channel is None:
            return Unreachable("Kênh này không còn được cài đặt.", channel=written.channel, code="no_channel")
        try:
            return channel.send(written.outgoing)
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
            return len(plan_events(session, ids, wiring.clock(), available, partial(accounts.colleagues, wiring)))
    except Exception:  # noqa: BLE001  one bad event must not stop the others; it stays unplanned and is told
        if len(ids) == 1:
            _log.exception("event %s could not be planned", ids[0])
            return 0
    return sum(_plan_batch(wiring, school_id, [event_id], available) for event_id in ids)
