"""Whom an invitation to answer concerns, and why it is none any more: a contract, or an item open for registration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.choices.asking import answered
from billing.choices.tables import ChoiceOffer
from billing.contracts.tables import Contract, ContractStep
from billing.events.recording import CONTRACT_OFFERED
from billing.events.tables import Event
from billing.payments.tables import PaymentRequest
from notifications.rules import Silence


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation: about which pupil, until the end of which day, and why nobody is told (any more)."""

    pupil_id: UUID
    last_day: date
    moot: Silence | None


def invited_to_contracts(session: Session, events: Sequence[Event]) -> dict[int, Invited]:
    """Return what invitations to agree to a contract mean now; moot once a step was taken or another link was made."""
    school_id, wanted = events[0].school_id, {event.subject_id for event in events}
    pupils = dict(
        session.exec(
            select(Contract.id, Contract.pupil_id).where(Contract.school_id == school_id, col(Contract.id).in_(wanted))
        ).all()
    )
    stepped = set(session.exec(select(ContractStep.contract_id).where(col(ContractStep.contract_id).in_(wanted))).all())
    newest: dict[UUID, int] = {}
    for event in session.exec(
        select(Event).where(
            Event.school_id == school_id, Event.kind == CONTRACT_OFFERED, col(Event.subject_id).in_(wanted)
        )
    ).all():
        newest[event.subject_id] = max(newest.get(event.subject_id, 0), event.facts["turn"])

    def moot(event: Event) -> Silence | None:
        if event.subject_id in stepped:
            return Silence.ANSWERED
        return Silence.REPLACED if event.facts["turn"] < newest[event.subject_id] else None

    return {
        event.id: Invited(pupils[event.subject_id], date.fromisoformat(event.facts["until"]), moot(event))
        for event in events
        if event.id is not None
    }


def invited_to_choose(session: Session, events: Sequence[Event]) -> dict[int, Invited]:
    """Return what invitations to register mean now; moot once the item is closed, or answered."""
    asked = [event.subject_id for event in events]
    pupils = dict(
        session.exec(select(PaymentRequest.id, PaymentRequest.pupil_id).where(col(PaymentRequest.id).in_(asked))).all()
    )
    wanted = {UUID(event.facts["offer"]) for event in events}
    offers = {row.id: row for row in session.exec(select(ChoiceOffer).where(col(ChoiceOffer.id).in_(wanted))).all()}
    done = answered(session, offers.values())
    return {
        event.id: Invited(pupils[event.subject_id], offer.closes_on, moot)
        for event in events
        if event.id is not None
        for offer in [offers[UUID(event.facts["offer"])]]
        for moot in [
            Silence.OVER
            if offer.closed_at is not None
            else Silence.ANSWERED
            if pupils[event.subject_id] in done[offer.id]
            else None
        ]
    }
