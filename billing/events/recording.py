"""Writing down what happened, in the transaction in which it happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.events.tables import Event

BILL_ISSUED = "bill_issued"  # subject: payment request
BILL_VOIDED = "bill_voided"  # subject: bill
BILL_CREDITED = "bill_credited"  # subject: bill
PAYMENT_RECEIVED = "payment_received"  # subject: payment
PAYMENT_REVERSED = "payment_reversed"  # subject: payment


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
