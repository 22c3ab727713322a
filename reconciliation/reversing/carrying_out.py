"""Carrying out what a bank took back: payments and receipts are reversed, bills open again, both sums meet on 1388.

money in    Dr 112 / Cr 3388S    stands, for the bank has it on its statement
payment     Dr 3388S / Cr 131    reversed today: receipt void, bill open again, the family is told
money out   Dr 1388 / Cr 112     stands likewise; its purpose *reversed* is Dr 3388S / Cr 1388

"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.choices.offering import person_of
from billing.credits.using import hold_credit
from billing.events.recording import PAYMENT_TAKEN_BACK, record_events
from reconciliation.holding import hold_named
from reconciliation.live_payments import live_payments
from reconciliation.outgoing.classifying import Purpose, classify, take_back
from reconciliation.outgoing.kinds import Tie
from reconciliation.queue.undoing import allocated_of, refuse_used, reverse_each
from reconciliation.shortfalls.accepting import end_shortfalls
from reconciliation.tables import Transfer
from reconciliation.transfers import step

REVERSED = "bank_reversal"


def carry_out(  # noqa: PLR0913, PLR0917  the pair, why, who says so and when
    session: Session, actor: Actor, out: Transfer, came: Transfer, reason: str, now: datetime
) -> None:
    """Take ``came`` back by ``out``; the caller waits for purposes, holds ``came`` and has decided.

    Raises ``Refused`` when the credit that it became is used or asked back: that is given back first.
    """
    payments = live_payments(session, came)
    if payments:
        hold_named(session, {payment.pupil_id for payment in payments})
        hold_credit(session, came.school_id)
        refuse_used(session, came.school_id, payments)
    end_shortfalls(session, actor, came, reason, now)
    reverse_each(session, actor, payments, reason, now)
    allocated = allocated_of(session, came.school_id, payments)
    taken = [
        (bill, {"pupil_id": str(each.pupil_id), "used": amount.dong, "payment": str(each.id)})
        for each in payments
        for bill, amount in allocated[each.id]
    ]
    record_events(session, came.school_id, PAYMENT_TAKEN_BACK, taken, now)
    step(session, came, "reversed", REVERSED, now, person_of(actor))
    purpose = Purpose("reversed", tie=Tie.REVERSED, tied_id=came.id, reason=reason)
    classify(session, actor, came.school_id, out.id, [purpose], now)


def bring_back(  # noqa: PLR0913, PLR0917  which purpose of which school, why, who says so and when
    session: Session, actor: Actor, school_id: UUID, purpose_id: UUID, reason: str, now: datetime
) -> None:
    """Undo what was carried out: the money waits for a person, and from here on two decide whom it pays for."""
    take_back(session, actor, school_id, purpose_id, reason, now, by_two=True)
