"""Settling one checkout in one transaction: the live payment is brought to what the checkout's facts come to.

A payment that stands with another sum is reversed with its receipt, and the rest is written anew through the matcher
and the recording that transfers use: refund in full or in part, chargeback and won dispute are one act, and doing it
twice does nothing. What was taken beyond the payment is a loss. Order and number of the messages do not matter (0028):
what was lowered before we heard that it was paid is written whole on its own day too, and lowered on ours (0034).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from billing.ledger.accounts import CARD_CLEARING, open_account
from billing.ledger.posting import Fact, Line, post
from billing.money import ZERO, Money, total
from billing.payments.recording import Received, record_payments
from billing.payments.reversing import reverse_payment
from billing.payments.tables import Payment, PaymentRequest, PaymentReversal
from reconciliation.book import RowsBook
from reconciliation.cards.booking import open_clearing
from reconciliation.cards.facts import VIETNAM, Kind, loss, worth
from reconciliation.cards.tables import CardCheckout, CardFact, CardLoss
from reconciliation.cards.telling import tell_lowered
from reconciliation.deciding import decide
from reconciliation.matching import POSTING, Decision, IncomingTransfer
from reconciliation.settling import parts_by_pupil

REASONS = {
    Kind.REFUNDED: "Đã hoàn về thẻ",
    Kind.REFUND_FAILED: "Hoàn về thẻ không thành, tiền đã quay lại",
    Kind.DISPUTED: "Ngân hàng của chủ thẻ đã đòi lại",
    Kind.REINSTATED: "Tranh chấp thẻ đã được giải quyết cho trường",
}

LOSSES = "811T"
LOSSES_NAME = "Tổn thất thanh toán thẻ"

# Worth of every paid checkout, and what stands for it: the live payment less the loss. Where they differ, work is
# waiting, and where nothing was ever written. Signs as in ``facts.SIGNS``; below 0 is a loss.
UNSETTLED = """
    SELECT p.school_id, p.checkout_id, f.recorded_at AS since, f.worth, stands.amount AS stands FROM card_facts p
    JOIN LATERAL (
        SELECT max(c.recorded_at) AS recorded_at, sum(CASE c.kind
            WHEN 'paid' THEN c.amount WHEN 'refund_failed' THEN c.amount WHEN 'reinstated' THEN c.amount
            WHEN 'refunded' THEN -c.amount WHEN 'disputed' THEN -c.amount ELSE 0 END) AS worth
        FROM card_facts c WHERE c.school_id = p.school_id AND c.intent_id = p.intent_id) f ON true
    JOIN LATERAL (
        SELECT coalesce((SELECT sum(y.amount) FROM payments y
            WHERE y.school_id = p.school_id AND y.source_kind = 'card' AND y.source_id = p.checkout_id
              AND NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = y.id)), 0)
          - coalesce((SELECT sum(CASE WHEN l.grows THEN l.amount ELSE -l.amount END) FROM card_losses l
            WHERE l.school_id = p.school_id AND l.checkout_id = p.checkout_id), 0) AS amount) stands ON true
    WHERE p.kind = 'paid' AND (f.worth <> stands.amount OR NOT EXISTS (SELECT FROM payments y
        WHERE y.school_id = p.school_id AND y.source_kind = 'card' AND y.source_id = p.checkout_id))
"""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A checkout whose facts say another sum than its payment."""

    school_id: UUID
    checkout_id: UUID


def unsettled(session: Session, limit: int) -> list[Unsettled]:
    """Return what waits to be settled over all schools in scope, the longest waiting first."""
    rows = session.execute(text(f"{UNSETTLED} ORDER BY since, p.checkout_id LIMIT :limit"), {"limit": limit})
    return [Unsettled(school_id, checkout_id) for school_id, checkout_id, *_ in rows]


def settle_checkout(session: Session, school_id: UUID, checkout_id: UUID, now: datetime) -> bool:
    """Bring the payment of a checkout to its worth; tell whether there was anything to do.

    The database refuses (``check_violation``) to take back credit that was used meanwhile: nothing is changed then.
    """
    _hold(session, checkout_id)
    paid = _paid(session, school_id, checkout_id)
    if paid is None:
        return False
    facts = _facts(session, paid)
    sums = [(fact.kind, fact.amount) for fact in facts]
    wanted, live = worth(sums), live_payment(session, school_id, checkout_id)
    lost = loss(sums) - booked_loss(session, school_id, checkout_id)
    checkout = session.get_one(CardCheckout, checkout_id)
    first = not _was_recorded(session, checkout)
    if wanted == (live.amount if live else ZERO) and not lost and not first:
        return False
    request = session.get_one(PaymentRequest, checkout.request_id)
    _hold_pupil(session, request.pupil_id)
    if first:
        live = _record(session, checkout, request, (paid.amount, paid.value_date), paid, now, tell=True)
    if wanted != (live.amount if live else ZERO):
        _change(session, checkout, request, live, wanted, facts, now)
    if lost:
        _book_loss(session, checkout, request.pupil_id, lost, now)
    return True


def _change(  # noqa: PLR0913, PLR0917  from what to what, why and when
    session: Session,
    checkout: CardCheckout,
    request: PaymentRequest,
    live: Payment | None,
    wanted: Money,
    facts: Sequence[CardFact],
    now: datetime,
) -> None:
    """Reverse what stands, write what is left anew today, and tell the family what went or came back."""
    before = ZERO if live is None else live.amount
    if live is not None:
        reverse_payment(session, checkout.school_id, live.id, None, _why(facts), now)
    if wanted:
        (paid,) = [fact for fact in facts if fact.kind == Kind.PAID.value]
        _record(session, checkout, request, (wanted, _today(now)), paid, now, tell=wanted > before)
    if live is not None and wanted < before:
        tell_lowered(session, live, before - wanted, facts, now)


def booked_loss(session: Session, school_id: UUID, checkout_id: UUID) -> Money:
    """Return what the book has as lost on a checkout."""
    rows = session.exec(
        select(CardLoss).where(CardLoss.school_id == school_id, CardLoss.checkout_id == checkout_id)
    ).all()
    return total(row.amount if row.grows else -row.amount for row in rows)


def _book_loss(session: Session, checkout: CardCheckout, pupil_id: UUID, lost: Money, now: datetime) -> None:
    """Book what was taken beyond the payment as a cost, or (below 0) what came back of it."""
    open_clearing(session, checkout.school_id)
    losses = open_account(session, checkout.school_id, LOSSES, LOSSES_NAME, "expense").code
    debit, credit = (losses, CARD_CLEARING) if lost > ZERO else (CARD_CLEARING, losses)
    before = session.exec(
        select(func.count(col(CardLoss.id))).where(
            CardLoss.school_id == checkout.school_id, CardLoss.checkout_id == checkout.id
        )
    ).one()
    amount = lost if lost > ZERO else -lost
    fact = Fact(checkout.school_id, "card_loss", f"{checkout.id}:{before + 1}", _today(now))
    entry = post(session, fact, [Line(debit, credit, amount, pupil_id=pupil_id)], now)
    session.add(
        CardLoss(
            school_id=checkout.school_id,
            checkout_id=checkout.id,
            amount=amount,
            grows=lost > ZERO,
            entry_id=entry,
            at=now,
        )
    )
    session.flush()


def facts_of(session: Session, school_id: UUID, checkout_id: UUID) -> Sequence[CardFact]:
    """Return the facts of a checkout, as they were recorded; none before it was paid."""
    paid = _paid(session, school_id, checkout_id)
    return () if paid is None else _facts(session, paid)


def live_payment(session: Session, school_id: UUID, checkout_id: UUID) -> Payment | None:
    """Return the payment of a checkout that stands now, if there is one."""
    return session.exec(
        select(Payment)
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(
            Payment.school_id == school_id,
            Payment.source_kind == "card",
            Payment.source_id == checkout_id,
            col(PaymentReversal.payment_id).is_(None),
        )
    ).one_or_none()


def _record(  # noqa: PLR0913, PLR0917  what is paid, for whom, how much and when
    session: Session,
    checkout: CardCheckout,
    request: PaymentRequest,
    what: tuple[Money, date],
    paid: CardFact,
    now: datetime,
    *,
    tell: bool,
) -> Payment:
    """Write a payment of a checkout, ``what`` and on which day: the first when it was paid, what is left later today.

    So no month that is over changes: a reversal and what is written anew stand on one day.
    """
    amount, value_date = what
    open_clearing(session, checkout.school_id)
    decision = decide(
        _as_incoming(checkout, request, amount), RowsBook(session, checkout.school_id, request.bank_account_id)
    )
    received = [
        (
            Received(
                school_id=checkout.school_id,
                pupil_id=pupil,
                source_kind="card",
                source_id=checkout.id,
                amount=whole,
                value_date=value_date,
                paid_at=paid.occurred_at,
            ),
            shares,
        )
        for pupil, whole, shares in _parts(decision, request, amount)
    ]
    (payment,) = record_payments(session, received, now, tell=tell)
    return payment


def _was_recorded(session: Session, checkout: CardCheckout) -> bool:
    """Tell whether a payment of a checkout was written before, reversed by now."""
    query = select(Payment.id).where(
        Payment.school_id == checkout.school_id, Payment.source_kind == "card", Payment.source_id == checkout.id
    )
    return session.exec(query.limit(1)).first() is not None


def _today(now: datetime) -> date:
    return (now + VIETNAM).date()


def _parts(decision: Decision, request: PaymentRequest, amount: Money) -> list[tuple[UUID, Money, Any]]:
    """Return what the request's pupil is paid and for which bills; the pupil keeps what no rule places."""
    if decision.outcome in POSTING:
        return parts_by_pupil(decision)
    return [(request.pupil_id, amount, [])]


def _as_incoming(checkout: CardCheckout, request: PaymentRequest, amount: Money) -> IncomingTransfer:
    """Return what the matcher looks at: a payment whose memo is the reference of the request and nothing else."""
    return IncomingTransfer(
        id=str(checkout.id),
        amount=amount,
        memo=request.reference,
        account=str(request.bank_account_id),
        school=str(checkout.school_id),
    )


def _why(facts: Sequence[CardFact]) -> str:
    """Return the reason of a reversal: the newest fact that says one."""
    return next(
        (REASONS[Kind(fact.kind)] for fact in reversed(facts) if Kind(fact.kind) in REASONS), "Ghi lại tiền thẻ"
    )


def _paid(session: Session, school_id: UUID, checkout_id: UUID) -> CardFact | None:
    query = select(CardFact).where(CardFact.school_id == school_id, CardFact.checkout_id == checkout_id)
    return session.exec(query).one_or_none()


def _facts(session: Session, paid: CardFact) -> Sequence[CardFact]:
    return session.exec(
        select(CardFact)
        .where(CardFact.school_id == paid.school_id, CardFact.intent_id == paid.intent_id)
        .order_by(col(CardFact.id))
    ).all()


def _hold(session: Session, checkout_id: UUID) -> None:
    _lock(session, f"card {checkout_id}")


def _hold_pupil(session: Session, pupil_id: UUID) -> None:
    """Take the lock that settling a transfer takes for its pupils (``holding.hold_pupils``)."""
    _lock(session, f"settle {pupil_id}")


def _lock(session: Session, name: str) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
