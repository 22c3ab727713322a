"""Settling one transfer in one transaction: decision, evidence, payments, receipts, state."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from billing.money import ZERO, Money, total
from billing.payments.allocation import Part
from billing.payments.recording import Received, record_payments
from billing.vault import Vault
from reconciliation.book import RowsBook
from reconciliation.deciding import decide
from reconciliation.feeds.base import STATEMENT
from reconciliation.holding import hold_pupils
from reconciliation.matching import POSTING, Decision, Direction, IncomingTransfer
from reconciliation.tables import Match, Transfer
from reconciliation.transfers import step


def settle(session: Session, transfer_id: UUID, now: datetime, vault: Vault | None = None) -> Decision | None:
    """Settle a transfer in state *new*; None when it is not, or when another settler holds it.

    The decision is made afresh inside this transaction, one at a time for each pupil. Cash or a credit may still be
    set against the same bill at once: the database refuses the second allocation (``check_violation``), and its whole
    transaction is tried again. With the ``vault``, phone numbers in the memo may suggest a family.
    """
    transfer = session.exec(
        select(Transfer).where(Transfer.id == transfer_id, Transfer.state == "new").with_for_update(skip_locked=True),
    ).one_or_none()
    if transfer is None:
        return None
    hold_pupils(session, transfer)
    book = RowsBook(session, transfer.school_id, transfer.bank_account_id, vault, transfer.occurred_at)
    decision = decide(as_incoming(transfer), book)
    record_decision(session, transfer, decision, now)
    return decision


def record_decision(
    session: Session, transfer: Transfer, decision: Decision, now: datetime, made_by: UUID | None = None
) -> None:
    """Keep a decision of the matcher with its evidence, take the step, and record the money that it moves.

    ``made_by``: who asked the matcher, if a person did. The caller holds transfer and pupils.
    """
    session.add(
        Match(
            school_id=transfer.school_id,
            transfer_id=transfer.id,
            outcome=decision.outcome.value,
            evidence=evidence_of(decision),
            at=now,
        ),
    )
    posts = decision.outcome in POSTING
    step(session, transfer, "matched" if posts else "waiting", str(decision.evidence[0]), now, made_by)
    if posts:
        _record(session, transfer, decision, now)


def leave_to_person(session: Session, transfer_id: UUID, now: datetime) -> bool:
    """Let a transfer that cannot be settled wait for a person; tell whether it was still to be settled."""
    transfer = session.exec(
        select(Transfer).where(Transfer.id == transfer_id, Transfer.state == "new").with_for_update(skip_locked=True),
    ).one_or_none()
    if transfer is None:
        return False
    step(session, transfer, "waiting", "settling_failed", now)
    return True


def evidence_of(decision: Decision) -> dict[str, Any]:
    """Return the evidence as it is kept: the rule, its notes, and the bills (candidates have 0 đ)."""
    rule, *notes = decision.evidence
    return {
        "rule": rule,
        "notes": [dict(note) if not isinstance(note, str) else note for note in notes],
        "bills": [
            {"reference": bill.reference, "bill_id": bill.key, "amount": bill.amount.dong} for bill in decision.bills
        ],
        "credit": decision.credit.dong,
        "credit_to": decision.credit_to,
    }


def as_incoming(transfer: Transfer) -> IncomingTransfer:
    """Return what the matcher may look at of a stored transfer."""
    return IncomingTransfer(
        id=str(transfer.id),
        amount=transfer.amount,
        memo=transfer.memo,
        account=str(transfer.bank_account_id),
        virtual_account=transfer.virtual_account,
        direction=Direction(transfer.direction),
        school=str(transfer.school_id),
        payer=transfer.payer_blind.hex() if transfer.payer_blind else None,
    )


def _record(session: Session, transfer: Transfer, decision: Decision, now: datetime) -> None:
    """Record one payment for each pupil that the decision gives money to."""
    received = [
        (received_of(transfer, pupil_id, amount), parts) for pupil_id, amount, parts in parts_by_pupil(decision)
    ]
    record_payments(session, received, now)


def parts_by_pupil(decision: Decision) -> list[tuple[UUID, Money, list[Part[UUID]]]]:
    """Return what a posting decision gives to each pupil, in the order of their ids: all of it, and the bills in it."""
    parts: dict[UUID, list[Part[UUID]]] = defaultdict(list)
    for bill in decision.bills:
        parts[UUID(bill.pupil)].append(Part(UUID(bill.key), bill.amount))
    credits_ = {UUID(decision.credit_to): decision.credit} if decision.credit_to else {}
    return [
        (pupil, total(part.amount for part in parts[pupil]) + credits_.get(pupil, ZERO), parts[pupil])
        for pupil in sorted(parts.keys() | credits_.keys())
    ]


def received_of(transfer: Transfer, pupil_id: UUID, amount: Money) -> Received:
    """Return what a transfer brings for one pupil, whoever decided it."""
    return Received(
        school_id=transfer.school_id,
        pupil_id=pupil_id,
        source_kind="transfer",
        source_id=transfer.id,
        amount=amount,
        value_date=transfer.value_date,
        # A statement tells the day only; a callback tells the moment.
        paid_at=None if transfer.provider == STATEMENT else transfer.occurred_at,
    )
