"""Money out as it stands: what has no purpose yet, what waits to be tied, and sums by purpose."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, text
from sqlmodel import Session, col, select

from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from billing.storage import money_sum
from reconciliation.outgoing.kinds import UNKNOWN, Tie, Waiting
from reconciliation.outgoing.tables import MoneyOut, MoneyOutEnd
from reconciliation.tables import Transfer

# Approved and not tied. A leg is money in on another account of the school, of one sum with money out within days.
_WAITING = text("""
WITH live AS (
    SELECT o.insurance_payout_id, o.refund_line_id, o.payout_id, o.leg_id, o.card_act_id, o.cash_withdrawal_id,
           o.transfer_id, o.amount
    FROM money_out o
    WHERE o.school_id = :school
      AND NOT EXISTS (SELECT FROM money_out_ends e WHERE e.school_id = o.school_id AND e.purpose_id = o.id)
), open_out AS (
    SELECT t.id, t.bank_account_id, t.value_date,
           t.amount - coalesce((SELECT sum(l.amount) FROM live l WHERE l.transfer_id = t.id), 0) AS rest
    FROM transfers t WHERE t.school_id = :school AND t.direction = 'out' AND t.state = 'ignored_out'
)
SELECT 'bhyt' AS tie, p.id, p.amount, p.paid_on AS day, 'BHYT ' || s.year || '.' || s.number AS words,
       p.bank_reference AS reference, '' AS of_order, '' AS code, '' AS account
FROM insurance_payouts p JOIN insurance_lists s ON s.school_id = p.school_id AND s.id = p.list_id
WHERE p.school_id = :school AND p.id NOT IN (SELECT l.insurance_payout_id FROM live l
                                             WHERE l.insurance_payout_id IS NOT NULL)
  AND ARRAY['approved'] = (SELECT array_agg(x.kind::text) FROM insurance_payout_steps x
                           WHERE x.school_id = p.school_id AND x.payout_id = p.id)
UNION ALL
SELECT 'hoan', r.id, r.amount, (d.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date,
       concat_ws(' · ', coalesce(u.full_name, 'Giao dịch ' || to_char(c.value_date, 'DD/MM/YYYY')), r.item_code,
                 r.account_masked), '', r.refund_id::text, coalesce(r.code, ''), ''
FROM refund_lines r
JOIN refund_decisions d ON d.school_id = r.school_id AND d.refund_id = r.refund_id AND d.approved
LEFT JOIN pupils u ON u.id = r.pupil_id
LEFT JOIN transfers c ON c.school_id = r.school_id AND c.id = r.transfer_id
LEFT JOIN LATERAL (SELECT x.kind FROM refund_steps x WHERE x.school_id = r.school_id AND x.line_id = r.id
                   ORDER BY x.turn DESC LIMIT 1) last ON true
WHERE r.school_id = :school AND r.way = 'bank' AND coalesce(last.kind, 'undone') IN ('undone', 'sent')
  AND r.id NOT IN (SELECT l.refund_line_id FROM live l WHERE l.refund_line_id IS NOT NULL)
UNION ALL
SELECT 'ho-tro', p.id, p.amount, p.received_on, 'Chi trả theo danh sách ' || c.school_year || ' đợt ' || c.instalment,
       '', p.claim_id::text, '', ''
FROM payouts p JOIN state_claims c ON c.school_id = p.school_id AND c.id = p.claim_id
WHERE p.school_id = :school AND p.way = 'transfer' AND p.reverses_id IS NULL
  AND NOT EXISTS (SELECT FROM payouts u WHERE u.school_id = p.school_id AND u.reverses_id = p.id)
  AND p.id NOT IN (SELECT l.payout_id FROM live l WHERE l.payout_id IS NOT NULL)
UNION ALL
SELECT 'stripe', a.id, f.amount, f.value_date, f.stripe_id || ' · ' || a.reason, '', '', '', ''
FROM card_acts a JOIN card_act_decisions d ON d.school_id = a.school_id AND d.act_id = a.id AND d.approved
JOIN card_facts f ON f.school_id = a.school_id AND f.kind = 'moved_in' AND f.stripe_id = a.subject
WHERE a.school_id = :school AND a.kind = 'top_up'
  AND a.id NOT IN (SELECT l.card_act_id FROM live l WHERE l.card_act_id IS NOT NULL)
  AND NOT EXISTS (SELECT FROM card_acts x JOIN card_act_decisions y ON y.school_id = x.school_id AND y.act_id = x.id
                  WHERE x.school_id = a.school_id AND x.kind = 'explain' AND x.subject = a.subject AND y.approved)
UNION ALL
SELECT 'tai-khoan', t.id, t.amount, t.value_date, '…' || right(a.number, 4) || ' · ' || t.memo,
       coalesce(t.bank_reference, ''), '', '', ''
FROM transfers t JOIN bank_accounts a ON a.school_id = t.school_id AND a.id = t.bank_account_id
WHERE t.school_id = :school AND t.direction = 'in' AND t.state = 'waiting'
  AND NOT EXISTS (SELECT FROM transfer_references n WHERE n.school_id = t.school_id AND n.transfer_id = t.id)
  AND EXISTS (SELECT FROM open_out o WHERE o.rest = t.amount AND o.bank_account_id <> t.bank_account_id
              AND abs(o.value_date - t.value_date) <= :days)
UNION ALL
SELECT 'rut-quy', w.id, w.amount, (w.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, 'Rút về quỹ, giấy ' || w.slip,
       w.slip, '', '', w.bank_account_id::text
FROM cash_withdrawals w
WHERE w.school_id = :school AND w.bank_account_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM cash_withdrawal_ends e WHERE e.school_id = w.school_id AND e.withdrawal_id = w.id)
  AND w.id NOT IN (SELECT l.cash_withdrawal_id FROM live l WHERE l.cash_withdrawal_id IS NOT NULL)
ORDER BY day, id
""")
LEG_DAYS = 7  # a transfer to the Treasury is there within days, also over a long holiday


@dataclass(frozen=True, slots=True)
class OpenOut:
    """Money out with what is left of it without a purpose."""

    transfer: Transfer
    account: BankAccount
    rest: Money


@dataclass(frozen=True, slots=True)
class KindSum:
    """A kind of money out, how many parts, and their sum."""

    kind: str
    count: int
    amount: Money


def live() -> ColumnElement[bool]:
    """Return the condition that a purpose was not taken back."""
    return ~exists().where(
        col(MoneyOutEnd.school_id) == col(MoneyOut.school_id), col(MoneyOutEnd.purpose_id) == col(MoneyOut.id)
    )


def rest_of(session: Session, transfer: Transfer) -> Money:
    """Return what of money out has no purpose yet."""
    used = select(money_sum(MoneyOut.amount)).where(
        MoneyOut.school_id == transfer.school_id, MoneyOut.transfer_id == transfer.id, live()
    )
    return transfer.amount - session.exec(used).one()


def open_out(session: Session, school_id: UUID, first: date = date.min, last: date = date.max) -> list[OpenOut]:
    """Return money out of the bank's days ``first`` to ``last`` that is not explained in full, oldest first."""
    used = (
        select(col(MoneyOut.transfer_id), money_sum(MoneyOut.amount).label("amount"))
        .where(MoneyOut.school_id == school_id, live())
        .group_by(col(MoneyOut.transfer_id))
        .subquery()
    )
    rows = session.exec(
        select(Transfer, BankAccount, used.c.amount)
        .join(BankAccount, col(BankAccount.id) == col(Transfer.bank_account_id))
        .outerjoin(used, used.c.transfer_id == col(Transfer.id))
        .where(*_out(school_id, first, last))
        .order_by(col(Transfer.value_date), col(Transfer.occurred_at), col(Transfer.id))
    ).all()
    left = [OpenOut(transfer, account, transfer.amount - (spent or ZERO)) for transfer, account, spent in rows]
    return [each for each in left if each.rest]


def waiting_for_money(session: Session, school_id: UUID) -> list[Waiting]:
    """Return what is approved and waits for the bank's transfer, and money in that may be another one's other leg."""
    rows = session.execute(_WAITING, {"school": school_id, "days": LEG_DAYS})
    return [
        Waiting(
            Tie(row.tie), str(row.id), Money(row.amount), row.day, row.words, row.reference, row.of_order, row.code,
            row.account,
        )
        for row in rows
    ]  # fmt: skip


def sums_by_kind(session: Session, school_id: UUID, first: date, last: date) -> list[KindSum]:
    """Return money out of the bank's days ``first`` to ``last`` by kind; what is not explained comes last."""
    rows = session.exec(
        select(col(MoneyOut.kind), func.count(), money_sum(MoneyOut.amount))
        .join(Transfer, col(Transfer.id) == col(MoneyOut.transfer_id))
        .where(MoneyOut.school_id == school_id, live(), *_out(school_id, first, last))
        .group_by(col(MoneyOut.kind))
        .order_by(col(MoneyOut.kind))
    ).all()
    unknown = open_out(session, school_id, first, last)
    left = total(each.rest for each in unknown)
    known = [KindSum(kind, count, amount) for kind, count, amount in rows]
    return [*known, KindSum(UNKNOWN, len(unknown), left)] if unknown else known


def not_tied_yet(session: Session, school_id: UUID) -> Money:
    """Return what approved payouts to the insurer hold on 1388 until the bank's transfers are tied to them."""
    waiting = waiting_for_money(session, school_id)
    return total(each.amount for each in waiting if each.tie is Tie.INSURANCE)


def legs(session: Session, school_id: UUID) -> dict[UUID, Money]:
    """Return the money in that came from the school's own accounts, by transfer."""
    rows = session.exec(
        select(col(MoneyOut.leg_id), col(MoneyOut.amount)).where(
            MoneyOut.school_id == school_id, col(MoneyOut.leg_id).is_not(None), live()
        )
    ).all()
    return {leg: amount for leg, amount in rows if leg is not None}


def kinds_of(session: Session, school_id: UUID) -> dict[UUID, list[str]]:
    """Return the kinds of purposes of money out, each once, by transfer."""
    rows = session.exec(
        select(col(MoneyOut.transfer_id), col(MoneyOut.kind))
        .where(MoneyOut.school_id == school_id, live())
        .distinct()
        .order_by(col(MoneyOut.transfer_id), col(MoneyOut.kind))
    ).all()
    found: dict[UUID, list[str]] = defaultdict(list)
    for transfer_id, kind in rows:
        found[transfer_id].append(kind)
    return found


def _out(school_id: UUID, first: date, last: date) -> tuple[ColumnElement[bool] | bool, ...]:
    return (
        Transfer.school_id == school_id,
        Transfer.direction == "out",
        Transfer.state == "ignored_out",
        col(Transfer.value_date).between(first, last),
    )
