"""The reconciliation report of a school and a period, read from the rows; totals come from the ledger beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from billing.ledger.accounts import FAMILY_RECEIVABLE, UNCLASSIFIED_OUT
from billing.ledger.balances import debit_balance
from billing.ledger.periods import closed_at, live_closings
from billing.ledger.tables import BankAccount, ClosedPeriod, JournalEntry
from billing.money import ZERO, Money, total
from billing.payments.banks import bank_by_bin
from billing.payments.receipt_number import with_book
from billing.people.tables import School
from reconciliation.cards.payouts import tied_transfers
from reconciliation.daily_check import bank_net, book_net
from reconciliation.depositing.tying import deposited
from reconciliation.outgoing.kinds import KIND_NAMES
from reconciliation.outgoing.reading import kinds_of, legs, not_tied_yet, open_out, sums_by_kind
from reconciliation.reports.filling_lists import last_numbers, pupil_codes, receipt_lines, unpaid_lines
from reconciliation.reports.ledger_figures import Moved, moved
from reconciliation.reports.records import (
    GOING_BACK,
    NOT_COUNTED,
    AccountFigures,
    ReconciliationReport,
    TransferLine,
    WaitingLine,
)
from reconciliation.reports.report_xlsx import reconciliation_report_xlsx
from reconciliation.reports.wording import STATES_WAIT, rule_in_words, why_waiting
from reconciliation.tables import Transfer

_EVER = (date(1970, 1, 1), date(9999, 12, 31))
_PAYMENTS = text("""
SELECT p.source_id, p.pupil_id, p.amount, coalesce(a.amount, 0) AS allocated, coalesce(a.bills, '{}') AS bills,
       b.code AS book, r.number
FROM payments p
LEFT JOIN LATERAL (
    SELECT sum(x.amount)::bigint AS amount, array_agg(l.number ORDER BY l.number) AS bills
    FROM allocations x JOIN bills l ON l.id = x.bill_id WHERE x.payment_id = p.id) a ON true
LEFT JOIN receipts r ON r.payment_id = p.id
LEFT JOIN receipt_books b ON b.id = r.book_id
WHERE p.school_id = :school AND p.source_kind = 'transfer'
  AND NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = p.id)
ORDER BY p.id
""")
_EVIDENCE = text("""
SELECT DISTINCT ON (transfer_id) transfer_id, evidence FROM matches WHERE school_id = :school
ORDER BY transfer_id, id DESC
""")
_Evidence = Mapping[UUID, Mapping[str, Any]]


@dataclass(slots=True)
class _Settled:
    """What the live payments of one transfer did with it."""

    allocated: Money = ZERO
    credit: Money = ZERO
    pupils: list[str] = field(default_factory=list)
    bills: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is looked up once for all transfers of a school."""

    names: Mapping[UUID, str]
    settled: Mapping[UUID, _Settled]
    evidence: _Evidence
    legs: Mapping[UUID, Money]
    kinds: Mapping[UUID, Sequence[str]]
    closed: Sequence[ClosedPeriod]


def reconciliation_report(session: Session, school_id: UUID, first_day: date, last_day: date, now: datetime) -> bytes:
    """Return the report of the bank's days ``first_day`` to ``last_day`` as XLSX, as recorded up to ``now``."""
    return reconciliation_report_xlsx(report_record(session, school_id, first_day, last_day, now))


def report_record(
    session: Session, school_id: UUID, first_day: date, last_day: date, now: datetime
) -> ReconciliationReport:
    """Return the report as a record; ``now`` is the moment of the transaction that reads."""
    school = session.exec(select(School).where(School.id == school_id)).one()
    accounts = session.exec(
        select(BankAccount)
        .where(BankAccount.school_id == school_id)
        .order_by(col(BankAccount.bank_bin), col(BankAccount.number)),
    ).all()
    facts = _Facts(
        names={account.id: account_name(account) for account in accounts},
        settled=_settled(session, school_id),
        evidence={row.transfer_id: row.evidence for row in session.execute(_EVIDENCE, {"school": school_id})},
        legs={
            **legs(session, school_id),
            **tied_transfers(session, school_id),
            **deposited(session, school_id),
        },
        kinds=kinds_of(session, school_id),
        closed=live_closings(session, school_id),
    )
    return ReconciliationReport(
        school_name=school.name,
        school_code=school.code,
        period_from=first_day,
        period_to=last_day,
        as_of=now,
        recorded_seq=_last_entry(session, school_id),
        accounts=list(_accounts(session, accounts, first_day, last_day)),
        transfers=list(_transfers(session, school_id, first_day, last_day, facts)),
        waiting=list(_waiting(session, school_id, facts)),
        receipts=receipt_lines(session, school_id, first_day, last_day),
        unpaid=unpaid_lines(session, school_id),
        receivable_balance=debit_balance(session, school_id, FAMILY_RECEIVABLE),
        last_before=last_numbers(session, school_id, first_day),
        out_by_kind=[
            (KIND_NAMES[of.kind], of.count, of.amount) for of in sums_by_kind(session, school_id, first_day, last_day)
        ],
        unexplained=total(each.rest for each in open_out(session, school_id)) - not_tied_yet(session, school_id),
        unexplained_balance=debit_balance(session, school_id, UNCLASSIFIED_OUT),
    )


def account_name(account: BankAccount) -> str:
    """Return an account as lists show it: the bank and the last four digits."""
    bank = bank_by_bin(account.bank_bin)
    return f"{bank.short_name if bank else account.bank_bin} ••••{account.number[-4:]}"


def _accounts(
    session: Session, accounts: Sequence[BankAccount], first_day: date, last_day: date
) -> Iterator[AccountFigures]:
    """Yield each account's figures from the ledger: the period's, what waits now, the balances at the period's end."""
    if not accounts:
        return
    school_id = accounts[0].school_id
    period = moved(session, school_id, first_day, last_day)
    ever = moved(session, school_id, *_EVER)
    for account in accounts:
        mine = period.get(account.id, Moved())
        yield AccountFigures(
            account=account_name(account),
            holder=account.holder,
            bank_in=mine.bank_in,
            bank_out=mine.bank_out,
            allocated=mine.allocated,
            credit=mine.credit,
            waiting=mine.waiting,
            refunded=mine.refunded,
            own=mine.own,
            suspense_balance=ever.get(account.id, Moved()).waiting,
            book_balance=book_net(session, account, last_day),
            bank_balance=bank_net(session, account, last_day),
        )


def _settled(session: Session, school_id: UUID) -> dict[UUID, _Settled]:
    codes = pupil_codes(session, school_id)
    found: dict[UUID, _Settled] = defaultdict(_Settled)
    for row in session.execute(_PAYMENTS, {"school": school_id}):
        of = found[row.source_id]
        of.allocated += Money(row.allocated)
        of.credit += Money(row.amount - row.allocated)
        of.pupils.append(codes.get(row.pupil_id, ""))
        of.bills += row.bills
        if row.number is not None:
            of.receipts.append(with_book(row.book, row.number))
    return found


def _transfers(
    session: Session, school_id: UUID, first_day: date, last_day: date, facts: _Facts
) -> Iterator[TransferLine]:
    rows = session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == school_id,
            Transfer.value_date >= first_day,
            Transfer.value_date <= last_day,
        )
        .order_by(col(Transfer.occurred_at), col(Transfer.id)),
    ).all()
    for row in rows:
        settled = facts.settled.get(row.id, _Settled())
        closed = closed_at(facts.closed, row.value_date)
        yield TransferLine(
            at=row.occurred_at,
            account=facts.names[row.bank_account_id],
            bank_reference=row.bank_reference or row.provider_id,
            incoming=row.direction == "in",
            amount=row.amount,
            memo=row.memo,
            state=row.state,
            allocated=settled.allocated,
            credit=settled.credit,
            waiting=_open_part(row, settled, facts),
            own=facts.legs.get(row.id, ZERO),
            refunded=_rest(row, settled) if row.state in GOING_BACK else ZERO,
            pupil_codes=tuple(dict.fromkeys(settled.pupils)),
            bills=tuple(settled.bills),
            receipts=tuple(settled.receipts),
            evidence=_why(row, facts),
            late=closed is not None and row.recorded_at > closed,
        )


def _rest(transfer: Transfer, settled: _Settled) -> Money:
    return transfer.amount - settled.allocated - settled.credit


def _why(transfer: Transfer, facts: _Facts) -> str:
    """Return the matcher's reason; of money out what it was for."""
    if transfer.direction == "out":
        return "; ".join(KIND_NAMES[kind] for kind in facts.kinds.get(transfer.id, ()))
    return rule_in_words(facts.evidence.get(transfer.id))


def _open_part(transfer: Transfer, settled: _Settled, facts: _Facts) -> Money:
    """Return what of a transfer still stands in suspense."""
    gone = transfer.direction == "out" or transfer.state in (*NOT_COUNTED, *GOING_BACK)
    return ZERO if gone else _rest(transfer, settled) - facts.legs.get(transfer.id, ZERO)


def _waiting(session: Session, school_id: UUID, facts: _Facts) -> Iterator[WaitingLine]:
    """Yield what waits for a decision now, whatever the period, oldest first."""
    rows = session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == school_id,
            Transfer.direction == "in",
            col(Transfer.state).in_(STATES_WAIT),
        )
        .order_by(col(Transfer.occurred_at), col(Transfer.id)),
    ).all()
    for row in rows:
        yield WaitingLine(
            at=row.occurred_at,
            account=facts.names[row.bank_account_id],
            bank_reference=row.bank_reference or row.provider_id,
            amount=_open_part(row, facts.settled.get(row.id, _Settled()), facts),
            memo=row.memo,
            state=row.state,
            reason=why_waiting(row.state, facts.evidence.get(row.id)),
        )


def _last_entry(session: Session, school_id: UUID) -> int:
    return session.exec(select(func.max(JournalEntry.id)).where(JournalEntry.school_id == school_id)).one_or_none() or 0
