"""Credit that is on its way back to a card: what a card payment left over, while some of that payment is given back.

A card payment is lowered by reversing it whole and writing the rest anew, so all that it left over must still be there
on that day (decision 0028). From the asking until the book follows, it can be neither handed out nor used: the same
money would go twice. The rooms above keep what was asked of Stripe and what Stripe told; it is read here by the names
of their tables, since this room must not import them.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.money import Money

# Under way: a refund that was asked for, not refused by anybody and not told as a fact; or facts that come to less than
# the payment, which is not lowered yet. Signs as in ``reconciliation.cards.facts.SIGNS``.
_UNDER_WAY = text("""
    SELECT p.pupil_id, sum(p.amount - coalesce(a.amount, 0))::bigint AS amount
    FROM payments p
    LEFT JOIN LATERAL (SELECT sum(x.amount) AS amount FROM allocations x
                       WHERE x.school_id = p.school_id AND x.payment_id = p.id) a ON true
    WHERE p.school_id = :school AND p.source_kind = 'card'
      AND (CAST(:pupils AS uuid[]) IS NULL OR p.pupil_id = ANY (CAST(:pupils AS uuid[])))
      AND (CAST(:apart_from AS uuid) IS NULL OR p.source_id <> CAST(:apart_from AS uuid))
      AND NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = p.id)
      AND (EXISTS (
          SELECT FROM card_refunds r WHERE r.school_id = p.school_id AND r.checkout_id = p.source_id
            AND NOT EXISTS (SELECT FROM card_refund_decisions d WHERE d.refund_id = r.id AND NOT d.approved)
            AND NOT EXISTS (SELECT FROM card_refund_answers w WHERE w.refund_id = r.id AND (w.refused <> '' OR EXISTS (
                SELECT FROM card_facts f WHERE f.school_id = w.school_id AND f.kind = 'refunded'
                  AND f.stripe_id = w.stripe_id)))
      ) OR p.amount > (
          SELECT coalesce(sum(CASE c.kind
              WHEN 'paid' THEN c.amount WHEN 'refund_failed' THEN c.amount WHEN 'reinstated' THEN c.amount
              WHEN 'refunded' THEN -c.amount WHEN 'disputed' THEN -c.amount ELSE 0 END), 0)
          FROM card_facts f JOIN card_facts c ON c.school_id = f.school_id AND c.intent_id = f.intent_id
          WHERE f.school_id = p.school_id AND f.kind = 'paid' AND f.checkout_id = p.source_id))
    GROUP BY p.pupil_id HAVING sum(p.amount - coalesce(a.amount, 0)) > 0
""")


def under_way(
    session: Session, school_id: UUID, pupils: Collection[UUID] | None = None, *, apart_from: UUID | None = None
) -> dict[UUID, Money]:
    """Return, by pupil, what card payments left over while they are being given back, in đồng above 0.

    ``apart_from`` is a checkout that is not counted: whoever gives back from it asks whether its own money is there.
    """
    whose = {"school": school_id, "pupils": None if pupils is None else list(pupils), "apart_from": apart_from}
    return {pupil: Money(amount) for pupil, amount in session.execute(_UNDER_WAY, whose)}
