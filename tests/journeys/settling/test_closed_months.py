"""Every door that money or a change of it comes by, against a month that is closed or is just being closed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlmodel import Session, col, select

from billing.closing.deciding import agree, ask_close, ask_reopen
from billing.credits.paying_out import pay_cash
from billing.credits.tables import RefundLine
from billing.ledger.tables import JournalEntry
from billing.money import Money
from reconciliation.feeds.opening import statement_feed
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.statements.importing import import_statement
from tests.factories.closing import shut
from tests.factories.collecting import PAID_AT
from tests.journeys.settling.office import ALWAYS, Office

NOW = datetime(2025, 11, 6, 2, 0, tzinfo=UTC)
OCTOBER, NOVEMBER = date(2025, 10, 1), date(2025, 11, 1)
ROOT = Path(__file__).resolve().parents[3]
SOUND = (*ALWAYS, "I14")


def callback(office: Office) -> bool:
    """A bank's callback of a payment in October."""
    office.collecting.hear_of(office.collecting.pays(office.code(1), 100_000))
    return True


def statement_file(office: Office) -> bool:
    """A statement of October that tells of money which no callback told of."""
    world = office.collecting
    world.pays(office.code(1), 100_000)
    head = StatementHead(
        account=world.account.number,
        owner=world.school.name,
        first_day=OCTOBER,
        last_day=NOVEMBER - timedelta(days=1),
        opening=Money(0),
    )
    content = statement(head, world.bank.movements(world.account.number))
    with world.database.transaction(world.scope) as session:
        feed = statement_feed(session, world.wiring.vault, world.account, NOW)
        assert import_statement(session, world.wiring.vault, feed, content, None, NOW).new == 1
    world.reconcile()
    return True


def refund(office: Office) -> bool:
    """Credit given back in cash on a day of October, entered late."""
    with office.collecting.database.transaction(office.collecting.scope) as session:
        line = session.exec(select(RefundLine.id)).one()
        pay_cash(session, line, office.cashier, "Nguyễn Văn Hòa", PAID_AT.date(), NOW)
    return True


def correction(office: Office) -> bool:
    """A bill of September is taken back."""
    return any(office.take_bill_back(place) for place in range(3))


def undoing(office: Office) -> bool:
    """The payment of October is reversed."""
    return office.undo(1)


def use_of_credit(office: Office) -> bool:
    """The credit of October is set against a bill."""
    assert office.bill(0, 20_000, "2025-11")
    return office.use_credit(0)


DOORS: dict[str, Callable[[Office], bool]] = {
    each.__name__: each for each in (callback, statement_file, refund, correction, undoing, use_of_credit)
}


@pytest.fixture
def paid(office: Office) -> Office:
    """In October a family paid 50,000 đ too much and half of it is to be given back, another paid a part; now November.

    The other owes 280,000 đ on two bills, one of September, which is closed.
    """
    office.collecting.hear_of(office.collecting.pays(office.code(0), 700_000))
    office.collecting.hear_of(office.collecting.pays(office.code(1), 50_000))
    assert office.ask_refund(0, part=2)
    assert office.decide_refund(approve=True)
    assert office.bill(1, 30_000, "2025-09")
    with office.collecting.database.transaction(office.collecting.scope) as session:
        shut(session, office.school_id, date(2025, 9, 1), NOW)
    office.collecting.wiring = replace(office.collecting.wiring, clock=lambda: NOW)
    return office


def close(office: Office, session: Session) -> None:
    asked = ask_close(session, office.accountant, office.school_id, OCTOBER, (), "", NOW)
    agree(session, office.approver, office.school_id, asked.id, (), NOW)


def reopen(office: Office, session: Session) -> None:
    asked = ask_reopen(session, office.accountant, office.school_id, OCTOBER, "Ghi thiếu", NOW)
    agree(session, office.approver, office.school_id, asked.id, (), NOW)


def entries(office: Office) -> list[tuple[int, date, date | None]]:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        rows = session.exec(select(JournalEntry).order_by(col(JournalEntry.id))).all()
    return [(row.id or 0, row.value_date, row.true_day) for row in rows]


@pytest.mark.parametrize("door", DOORS)
def test_whoever_comes_while_a_month_is_closed_waits_and_stands_on_the_first_open_day(paid: Office, door: str) -> None:
    before, done, failed = entries(paid), Event(), []

    def come() -> None:
        try:
            failed.extend([] if DOORS[door](paid) else ["not done"])
        except Exception as error:  # noqa: BLE001  whatever it is, the test looks at it
            failed.append(repr(error))
        done.set()

    late = Thread(target=come)
    with paid.collecting.database.transaction(paid.collecting.scope) as session:
        close(paid, session)
        late.start()
        assert not done.wait(timeout=0.3), "it waits for the closing that is not committed"
    late.join(timeout=60)
    assert failed == []
    after = entries(paid)
    new = after[len(before) :]
    assert after[: len(before)] == before
    assert new
    assert {day for _, day, _ in new if day < NOVEMBER} == set()
    assert {true for _, _, true in new if true and true >= NOVEMBER} == set()
    assert paid.broken(*SOUND) == []


def test_money_that_comes_while_a_month_is_closed_and_opened_again_is_booked_once(paid: Office) -> None:
    world, failed, over = paid.collecting, [], Event()

    def turn() -> None:
        try:
            for _ in range(3):
                for act in (close, reopen):
                    with world.database.transaction(world.scope) as session:
                        act(paid, session)
        except Exception as error:  # noqa: BLE001  as above
            failed.append(repr(error))
        over.set()

    turning = Thread(target=turn)
    turning.start()
    came = 0
    while came < 6 or not over.is_set():
        world.hear_of(world.pays(paid.code(1), 1_000))
        came += 1
    turning.join(timeout=60)
    assert failed == []
    assert world.states() == ["matched"] * (came + 2)
    assert paid.rest(1) == 280_000 - came * 1_000
    assert paid.broken(*SOUND) == []


def test_the_book_is_written_in_one_room() -> None:
    """Only billing/ledger makes entries and postings, and it asks for the first open day; so every door does."""
    writers = set()
    for room in ("billing", "reconciliation", "notifications", "service"):
        for path in (ROOT / room).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            made = {
                node.func.id
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            }
            if made & {"JournalEntry", "Posting"} or "INTO journal_entries" in source or "INTO postings" in source:
                writers.add(path.relative_to(ROOT).as_posix())
    assert writers == {f"billing/ledger/{name}.py" for name in ("posting", "posting_many", "posting_rows")}
    for writer in writers:
        assert "opens_on(session" in (ROOT / writer).read_text(encoding="utf-8"), writer
