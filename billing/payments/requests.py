"""Payment requests: one for each pupil and account over all open bills, with one reference and one QR.

A bill does not know its requests, and an older request stays valid: whoever pays last month's QR pays the same bills.

The database finds and groups the bills; from here come the references, since it does not know their key, and the ids.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, case, column, func, insert, table, text
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.events.recording import BILL_ISSUED
from billing.ledger.replacing import replacements
from billing.ledger.tables import BankAccount
from billing.loading import as_text, load_lines, load_temporary, make_temporary
from billing.money import Money
from billing.payments.reference import reference_for
from billing.payments.still_open import oldest_first, select_open
from billing.payments.tables import PaymentRequest, PaymentRequestBill, reference_numbers
from billing.payments.virtual_accounts import assign_virtual_accounts
from billing.storage import new_ids

Payee = tuple[UUID, UUID]
"""Who is asked and where to: the pupil and the school's bank account."""


class NewRequest(NamedTuple):
    """A request just opened, with its bills in the order in which they are paid and all that is due on them."""

    id: UUID
    pupil_id: UUID
    bank_account_id: UUID
    number: int
    reference: str
    bill_ids: tuple[UUID, ...]
    amount: Money


def open_requests(
    session: Session, school_id: UUID, payees: Collection[Payee], now: datetime, reference_key: bytes
) -> list[NewRequest]:
    """Open requests like ``write_requests`` and return them, by pupil and account; for few."""
    rows = ((pupil, account, 1) for pupil, account in payees)
    load_temporary(session, "new_bills", _PAYEES, rows, joined_by=["pupil_id"])
    write_requests(session, school_id, now, reference_key)
    return [
        NewRequest(request, pupil, account, number, reference, tuple(bills), Money(int(amount)))
        for request, pupil, account, number, reference, bills, amount in session.execute(_OPENED)
    ]


def write_requests(
    session: Session, school_id: UUID, now: datetime, reference_key: bytes, *, settled: Collection[UUID] = ()
) -> int:
    """Open a request for each pupil and account of the bills just written (``write_bills``); return how many.

    A request holds all that is open for the payee, the oldest due first. Who has no open bill gets none, unless a bill
    of theirs is among ``settled``: bills that families are to be shown although their credit paid them in full. A
    replaced account stands for the one in its place, also for older bills. References come from the database's
    sequence, so no two are alike and none is used again, also when the transaction fails. What was opened last is kept
    until the transaction ends (``tell_of_requests``).
    """
    session.flush()
    _find_bills(session, school_id, settled)
    numbers = _virtual_numbers(session, school_id, now)
    # In the order of the ids of pupil and account.
    drawn = list(session.execute(_DRAW).scalars())
    lines = (
        f"{place}\t{as_text(request_id)}\t{number}\t{reference_for(number, reference_key)}"
        f"\t{as_text(numbers.get(place))}\n"
        for place, (number, request_id) in enumerate(zip(drawn, new_ids(len(drawn)), strict=True), 1)
    )
    load_lines(session, "new_requests", _REQUESTS, lines)
    if drawn:
        shared = {"school_id": school_id, "now": now}
        session.execute(_INSERT_REQUESTS, shared)
        session.execute(_INSERT_HELD, {"school_id": school_id})
        session.execute(_INSERT_REFERENCES, shared)
    return len(drawn)


def tell_of_requests(session: Session, school_id: UUID, round_id: UUID, now: datetime) -> None:
    """Append one event for each request opened last on which something is open: notices are written from these."""
    shared = {"school_id": school_id, "kind": BILL_ISSUED, "round_id": str(round_id), "now": now}
    session.execute(_INSERT_EVENTS, shared)


def told_of(session: Session) -> set[UUID]:
    """Return the bills of those requests."""
    return set(session.execute(_TOLD).scalars())


def references_of(session: Session, bills: Collection[UUID]) -> dict[UUID, str]:
    """Return the newest reference under which each bill is asked for; a covered bill has none."""
    rows = session.exec(
        select(col(PaymentRequestBill.bill_id), col(PaymentRequest.reference))
        .join(PaymentRequest, col(PaymentRequest.id) == col(PaymentRequestBill.request_id))
        .where(col(PaymentRequestBill.bill_id).in_(bills))
        .order_by(col(PaymentRequest.created_at), col(PaymentRequest.id))
    ).all()
    return dict(rows)


_PAYEES = {"pupil_id": "uuid", "bank_account_id": "uuid", "family_due": "bigint"}
_HELD = {
    "place": "int",
    "pupil_id": "uuid",
    "account_id": "uuid",
    "bill_id": "uuid",
    "position": "int",
    "rest": "bigint",
}
_REQUESTS = {
    "place": "int",
    "id": "uuid",
    "number": "bigint",
    "reference": "varchar(11)",
    "virtual_account": "varchar(19)",
}
_bills: Any = table("new_bills", *map(column, _PAYEES), schema="pg_temp")
_held: Any = table("new_held", *map(column, _HELD), schema="pg_temp")
_DRAW = columns(reference_numbers.next_value()).select_from(
    text("generate_series(1, (SELECT max(place) FROM pg_temp.new_held))")
)
_INSERT_REQUESTS = text("""
    INSERT INTO payment_requests (id, school_id, pupil_id, bank_account_id, reference, virtual_account, link_version,
                                  created_at)
    SELECT r.id, :school_id, h.pupil_id, h.account_id, r.reference, r.virtual_account, 1, :now
    FROM pg_temp.new_requests r JOIN pg_temp.new_held h ON h.place = r.place AND h.position = 1
""")
_INSERT_HELD = text("""
    INSERT INTO payment_request_bills (request_id, bill_id, school_id, position)
    SELECT r.id, h.bill_id, :school_id, h.position
    FROM pg_temp.new_held h JOIN pg_temp.new_requests r ON r.place = h.place
""")
_INSERT_REFERENCES = text("""
    INSERT INTO reference_registry (reference, number, school_id, request_id, issued_at)
    SELECT reference, number, :school_id, id, :now FROM pg_temp.new_requests
""")
_INSERT_EVENTS = text("""
    INSERT INTO events (school_id, kind, subject_id, facts, occurred_at)
    SELECT :school_id, :kind, r.id, jsonb_build_object('round', CAST(:round_id AS text), 'bills', h.bills,
                                                       'amount', h.amount), :now
    FROM pg_temp.new_requests r
    JOIN (SELECT place, jsonb_agg(bill_id ORDER BY position) AS bills, sum(rest) AS amount
          FROM pg_temp.new_held GROUP BY place) h ON h.place = r.place
    WHERE h.amount > 0 ORDER BY r.place
""")
_TOLD = text("""
    SELECT h.bill_id FROM pg_temp.new_held h
    WHERE h.place IN (SELECT place FROM pg_temp.new_held GROUP BY place HAVING sum(rest) > 0)
""")
_OPENED = text("""
    SELECT r.id, min(CAST(h.pupil_id AS text))::uuid, min(CAST(h.account_id AS text))::uuid, r.number, r.reference,
           array_agg(h.bill_id ORDER BY h.position), sum(h.rest)
    FROM pg_temp.new_requests r JOIN pg_temp.new_held h ON h.place = r.place
    GROUP BY r.place, r.id, r.number, r.reference ORDER BY r.place
""")


def _find_bills(session: Session, school_id: UUID, settled: Collection[UUID]) -> None:
    """Write down which bills each payee is asked for, numbered by payee and within it."""
    make_temporary(session, "new_held", _HELD)
    instead = replacements(session, school_id)
    account, asked = _in_place(col(Bill.bank_account_id), instead), _in_place(_bills.c.bank_account_id, instead)
    wanted = (
        columns(_bills.c.pupil_id, asked.label("account_id"))
        .where(_bills.c.family_due > 0)
        .distinct()
        .subquery("wanted")
    )
    payee = wanted.c.pupil_id, wanted.c.account_id
    query = select_open(school_id, settled)
    held = query.join(wanted, and_(wanted.c.pupil_id == Bill.pupil_id, wanted.c.account_id == account))
    held = held.with_only_columns(
        func.dense_rank().over(order_by=payee),
        *payee,
        col(Bill.id),
        func.row_number().over(partition_by=payee, order_by=oldest_first()),
        query.selected_columns.rest,
    )
    session.execute(insert(_held).from_select(list(_HELD), held))


def _in_place(account: Any, instead: Mapping[UUID, UUID]) -> Any:  # noqa: ANN401  a column of either kind
    """Return the account that now stands in the place of one."""
    return case(instead, value=account, else_=account) if instead else account


def _virtual_numbers(session: Session, school_id: UUID, now: datetime) -> dict[int, str]:
    """Return the virtual account of every payee, by place, whose account is told apart only by them."""
    accounts = session.exec(
        select(BankAccount)
        .where(
            BankAccount.school_id == school_id,
            col(BankAccount.id).in_(columns(_held.c.account_id)),
            col(BankAccount.only_virtual).is_(True),
        )
        .order_by(col(BankAccount.id)),
    ).all()
    found = {}
    for account in accounts:
        of_account = columns(_held.c.place, _held.c.pupil_id).where(_held.c.account_id == account.id).distinct()
        places: Sequence[Any] = session.execute(of_account).all()
        numbers = assign_virtual_accounts(session, account, [pupil for _, pupil in places], now)
        found.update({place: numbers[pupil] for place, pupil in places if pupil in numbers})
    return found
