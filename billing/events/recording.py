"""Writing down what happened, in the transaction in which it happened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.events.tables import Event

BILL_ISSUED = "bill_issued"  # subject: payment request
BILL_VOIDED = "bill_voided"  # subject: bill
BILL_CREDITED = "bill_credited"  # subject: bill
CREDIT_USED = "credit_used"  # subject: bill
BILL_REMINDED = "bill_reminded"  # subject: payment request
CONTRACT_OFFERED = "contract_offered"  # subject: contract
CHOICE_OFFERED = "choice_offered"  # subject: payment request, behind whose link a family chooses
PAYMENT_RECEIVED = "payment_received"  # subject: payment
PAYMENT_REVERSED = "payment_reversed"  # subject: payment
PAYMENT_TAKEN_BACK = "payment_taken_back"  # subject: bill; what was paid on it went back: by the bank, or to a card
CARD_UNPAID = "card_unpaid"  # subject: bill; a card page that a family finished came to nothing
# Subject: the change of a bank account. Staff are told of these, families never.
ACCOUNT_ASKED = "account_asked"
ACCOUNT_APPROVED = "account_approved"
ACCOUNT_WITHDRAWN = "account_withdrawn"
ACCOUNT_OPENED = "account_opened"
ACCOUNT_EVENTS = (ACCOUNT_ASKED, ACCOUNT_APPROVED, ACCOUNT_WITHDRAWN, ACCOUNT_OPENED)


def record_event(
    session: Session,
    school_id: UUID,
    kind: str,
    subject_id: UUID,
    now: datetime,
    **facts: Any,  # noqa: ANN401  plain JSON values: ids as text, amounts as whole đồng
) -> Event:
    """Append an event. ``facts`` holds ids and amounts, never names or contacts."""
    event = Event(school_id=school_id, kind=kind, subject_id=subject_id, facts=facts, occurred_at=now)
    session.add(event)
    return event


_INSERT_EVENTS = text("""
    INSERT INTO events (school_id, kind, subject_id, facts, occurred_at)
    SELECT :school_id, :kind, CAST(each ->> 0 AS uuid), each -> 1, :now
    FROM jsonb_array_elements(CAST(:happened AS jsonb)) WITH ORDINALITY AS list (each, place) ORDER BY place
""")


def record_events(
    session: Session, school_id: UUID, kind: str, happened: Iterable[tuple[UUID, Mapping[str, Any]]], now: datetime
) -> None:
    """Append many events of one kind, set-wise: pairs of subject and facts, as ``record_event`` takes them."""
    # One text for all: to begin a JSON text takes Python longer than what stands in it.
    pairs = json.dumps([(str(subject), facts) for subject, facts in happened])
    session.execute(_INSERT_EVENTS, {"school_id": school_id, "kind": kind, "now": now, "happened": pairs})
