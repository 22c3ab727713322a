"""A transfer split over many lines, and undone: a line's cost does not grow, and the database keeps every refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from billing.errors import Refused
from billing.money import Money
from billing.vault import Vault
from reconciliation import holding
from reconciliation.queue.assigning import Wanted, agree, assign
from reconciliation.queue.open_bills import open_bills_of
from reconciliation.queue.pieces import Piece
from reconciliation.queue.standing import seen_of
from reconciliation.queue.undoing import agree_undo, ask_undo
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.factories.collecting import make_collecting
from tests.reconciliation.queue.queue_world import Queue, make_queue
from tests.standing import standing

FEW, MANY, EACH = 50, 100, 10_000


@dataclass(frozen=True, slots=True)
class Costs:
    """How many statements a split of ``transfer`` took to ask for and to agree to."""

    transfer: UUID
    asked: int
    agreed: int


@contextmanager
def counted(queue: Queue) -> Iterator[tuple[Session, Counter[str]]]:
    """Open a transaction and count what it sends, a list of rows as one for each: so they travel."""
    sent: Counter[str] = Counter()

    def count(_connection: object, _cursor: object, statement: str, rows: object, *_: object) -> None:
        sent[statement] += len(rows) if isinstance(rows, list) else 1

    with queue.collecting.database.transaction(queue.collecting.scope) as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", count)
        try:
            yield session, sent
        finally:
            event.remove(connection, "before_cursor_execute", count)


def pieces_of(queue: Queue, session: Session, first: int, lines: int) -> list[Piece]:
    """Return a line over the open bill of each of some children."""
    collecting = queue.collecting
    pupils = {child.id for child in collecting.children[first : first + lines]}
    bills = open_bills_of(session, queue.school_id, pupils, collecting.account.id)
    return [Piece(pupil, bills[pupil][0].bill_id, Money(EACH)) for pupil in pupils]


def split(queue: Queue, vault: Vault, first: int, lines: int) -> Costs:
    """Split a transfer over some children, agreed to by another person, and count the statements of both."""
    transfer, now = queue.waits(EACH * lines), queue.collecting.wiring.clock()
    with queue.open() as session:
        pieces, seen = pieces_of(queue, session, first, lines), seen_of(session, queue.school_id, transfer)
    with counted(queue) as (session, asked):
        wanted = Wanted(transfer, pieces, seen, "cả lớp")
        act = assign(session, vault, queue.accountant, queue.school_id, wanted, now).id
    with counted(queue) as (session, agreed):
        agree(session, queue.approver, queue.school_id, act, now)
    return Costs(transfer, asked.total(), agreed.total())


def undo(queue: Queue, transfer: UUID) -> int:
    """Take a split back, agreed to by another person, and count the statements of both."""
    now = queue.collecting.wiring.clock()
    with counted(queue) as (session, asked):
        seen = seen_of(session, queue.school_id, transfer)
        act = ask_undo(session, queue.accountant, queue.school_id, transfer, seen, "Lớp khác", now).id
    with counted(queue) as (session, agreed):
        assert agree_undo(session, queue.approver, queue.school_id, act, now)
    return asked.total() + agreed.total()


@pytest.fixture
@standing
def queue(database: Database, addresses: Addresses, vault: Vault) -> Queue:
    """A school of as many children as are split over, each with one open bill."""
    return make_queue(make_collecting(database, addresses, vault, dues=(EACH,) * (FEW + MANY)))


def test_twice_as_many_lines_take_no_more_statements(queue: Queue, vault: Vault) -> None:
    few = split(queue, vault, 0, FEW)
    many = split(queue, vault, FEW, MANY)
    # The first receipt of a year makes its book.
    assert many.asked - few.asked <= 2, (few, many)
    assert many.agreed - few.agreed <= 2, (few, many)
    assert few.agreed < FEW, "not one for each line"
    collecting = queue.collecting
    assert collecting.receipts() == [(number, EACH) for number in range(1, FEW + MANY + 1)]
    paid = EACH * (FEW + MANY)
    assert collecting.books() == {"112": paid, "531": -paid}
    assert set(collecting.rests()) == {0}
    refused_by_the_database(queue)
    taken_back = undo(queue, few.transfer)
    assert collecting.books() == {"112": paid, "131": FEW * EACH, "3388S": -FEW * EACH, "531": -paid}
    more = undo(queue, many.transfer)
    assert more - taken_back <= 2
    assert more < MANY, "not one for each line"
    assert collecting.books() == {"112": paid, "131": paid, "3388S": -paid, "531": -paid}
    assert set(collecting.rests()) == {EACH}


REFUSED = (
    "UPDATE receipt_counters SET last_number = last_number + 1",
    "UPDATE receipt_counters SET last_number = last_number + 7",
    "UPDATE receipt_counters SET last_number = last_number - 1",
    "UPDATE receipt_counters SET last_number = last_number",
    """INSERT INTO receipts (id, school_id, book_id, number, payment_id, amount, issued_at)
       SELECT gen_random_uuid(), school_id, book_id, number + 1000, payment_id, amount, issued_at FROM receipts""",
    """INSERT INTO queue_parts (school_id, act_id, pupil_id, amount)
       SELECT school_id, act_id, pupil_id, 1 FROM queue_parts LIMIT 1""",
)


def refused_by_the_database(queue: Queue) -> None:
    """Try what the guards of parts and receipts refuse, at the statement or at the commit."""
    for statement in REFUSED:
        with pytest.raises(DBAPIError), queue.collecting.database.transaction(EVERYTHING) as session:
            session.execute(text(statement))


GAPS: dict[str, Callable[[int], list[int]]] = {
    "one left out": lambda last: [last + 1, last + 3],
    "a gap before": lambda last: [last + 2, last + 3],
    "beyond the counter": lambda last: [last + 1, last + 2, last + 3, last + 4],
    "the last is missing": lambda last: [last + 1, last + 2],
}


@pytest.mark.parametrize("gap", GAPS)
def test_receipts_written_together_have_no_gap(queue: Queue, vault: Vault, gap: str) -> None:
    split(queue, vault, 0, 1)
    numbers = GAPS[gap](1)
    collecting = queue.collecting
    refused = pytest.raises(DBAPIError, match=r"do not follow|stands on no receipt")
    with refused, collecting.database.transaction(collecting.scope) as session:
        payments = unreceipted(queue, session, len(numbers))
        session.execute(text("UPDATE receipt_counters SET last_number = last_number + 3"))
        session.execute(
            text(
                "INSERT INTO receipts (id, school_id, book_id, number, payment_id, amount, issued_at)"
                " SELECT gen_random_uuid(), p.school_id, b.id, n.number, p.id, p.amount, now()"
                " FROM unnest(CAST(:payments AS uuid[]), CAST(:numbers AS bigint[])) n (payment, number)"
                " JOIN payments p ON p.id = n.payment CROSS JOIN receipt_books b"
            ),
            {"payments": [str(payment) for payment in payments], "numbers": numbers},
        )


def unreceipted(queue: Queue, session: Session, many: int) -> list[UUID]:
    """Write payments that have no receipt yet."""
    insert = text(
        "INSERT INTO payments (id, school_id, pupil_id, source_kind, source_id, turn, amount, value_date, recorded_at)"
        " SELECT gen_random_uuid(), :school, :pupil, 'cash', gen_random_uuid(), 1, 5, now(), now()"
        " FROM generate_series(1, :many) RETURNING id"
    )
    told = {"school": queue.school_id, "pupil": queue.pupil(0), "many": many}
    return [row[0] for row in session.execute(insert, told).all()]


def test_more_than_the_database_can_hold_is_refused_in_words(
    queue: Queue, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "ALWAYS_HELD", 3)
    split(queue, vault, 0, 4)
    monkeypatch.setattr(holding, "_HALF_OF_ALL_LOCKS", text("SELECT 5"))
    with pytest.raises(Refused, match="phải giữ 6 học sinh và thông báo thu cùng lúc; máy chủ giữ được 5"):
        split(queue, vault, 4, 3)
    assert len(queue.collecting.receipts()) == 4
