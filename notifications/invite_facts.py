"""What invitations to answer say, read together: whose contract or which item, until when, and the page to open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.choices.tables import ChoiceOffer
from billing.contracts.tables import Contract
from billing.events.recording import CONTRACT_OFFERED
from billing.events.tables import Event
from billing.fees.tables import FeeItem
from billing.payments.tables import PaymentRequest
from billing.people.tables import Pupil
from notifications.gathering import Links, school_in_words
from notifications.wording.facts import InviteFacts

ContractLinks = Callable[[Session, Collection[UUID]], Mapping[UUID, str]]
"""Gives the pages of contracts that are to be answered, by contract."""

CHOOSING = "/dang-ky"
"""What a payment request's page is followed by where a family chooses."""


def invite_facts(
    session: Session, school_id: UUID, events: Sequence[Event], links: Links, contract_links: ContractLinks
) -> dict[int, InviteFacts]:
    """Read what invitations say, by event; one whose page is gone is left out."""
    if not events:
        return {}
    contracts = [event for event in events if event.kind == CONTRACT_OFFERED]
    choices = [event for event in events if event.kind != CONTRACT_OFFERED]
    return _of_contracts(session, school_id, contracts, contract_links) | _of_choices(
        session, school_id, choices, links
    )


def _of_contracts(
    session: Session, school_id: UUID, events: Sequence[Event], links: ContractLinks
) -> dict[int, InviteFacts]:
    school, ids = school_in_words(session, school_id), {event.subject_id for event in events}
    pages = links(session, ids)
    rows = session.exec(
        select(Contract.id, Contract.number, Pupil.full_name)
        .join(Pupil, col(Pupil.id) == col(Contract.pupil_id))
        .where(Contract.school_id == school_id, col(Contract.id).in_(ids))
    ).all()
    known = {contract: (number, name) for contract, number, name in rows}
    return {
        event.id: InviteFacts(
            school=school,
            pupil=known[event.subject_id][1],
            until=date.fromisoformat(event.facts["until"]),
            link=pages[event.subject_id],
            number=known[event.subject_id][0],
        )
        for event in events
        if event.id is not None and event.subject_id in pages
    }


def _of_choices(session: Session, school_id: UUID, events: Sequence[Event], links: Links) -> dict[int, InviteFacts]:
    school, asked = school_in_words(session, school_id), {event.subject_id for event in events}
    rows = session.exec(
        select(PaymentRequest, Pupil.full_name)
        .join(Pupil, col(Pupil.id) == col(PaymentRequest.pupil_id))
        .where(PaymentRequest.school_id == school_id, col(PaymentRequest.id).in_(asked))
    ).all()
    names = {request.id: name for request, name in rows}
    pages = links(session, [request for request, _ in rows])
    offers = {
        offer.id: (offer.closes_on, name)
        for offer, name in session.exec(
            select(ChoiceOffer, FeeItem.legal_name)
            .join(FeeItem, col(FeeItem.id) == col(ChoiceOffer.item_id))
            .where(
                ChoiceOffer.school_id == school_id,
                col(ChoiceOffer.id).in_({UUID(event.facts["offer"]) for event in events}),
            )
        ).all()
    }
    return {
        event.id: InviteFacts(
            school=school,
            pupil=names[event.subject_id],
            until=until,
            link=pages[event.subject_id] + CHOOSING,
            item=item,
        )
        for event in events
        if event.id is not None
        for until, item in [offers[UUID(event.facts["offer"])]]
    }
