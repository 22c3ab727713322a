"""A shortfall is ended while its transfer's match is undone: whoever comes second waits, and is told what happened."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session

from billing.errors import Conflict
from reconciliation.queue.standing import seen_of
from reconciliation.queue.undoing import agree_undo, ask_undo
from reconciliation.shortfalls.accepting import take_back_shortfall
from tests.factories.collecting import PAID_AT
from tests.journeys.settling.office import Office
from tests.reconciliation.shortfalls.test_accepting import WHY, accept, limited, short

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
Act = Callable[[Session], object]


def accepted(office: Office) -> tuple[UUID, UUID]:
    """Let a shortfall be accepted and the undoing of its transfer be asked for; return relief and act."""
    limited(office)
    transfer, bill = short(office)
    relief = accept(office, transfer, bill)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        seen = seen_of(session, office.school_id, transfer)
        return relief, ask_undo(session, office.accountant, office.school_id, transfer, seen, WHY, PAID_AT).id


def one_while_the_other_is_open(office: Office, first: Act, second: Act) -> None:
    """Do the second while the first one's transaction is open; it waits. Raises what the second is told."""

    def do_second() -> None:
        with office.collecting.database.transaction(office.collecting.scope) as session:
            second(session)

    with ThreadPoolExecutor(1) as pool:
        with office.collecting.database.transaction(office.collecting.scope) as session:
            first(session)
            session.flush()
            running = pool.submit(do_second)
            while not running.done() and not session.execute(WAITING).scalar_one():
                time.sleep(0.01)
            assert not running.done(), running.exception()
        running.result()


def test_the_shortfall_is_ended_while_the_match_is_undone(office: Office) -> None:
    relief, act = accepted(office)

    def undo(session: Session) -> None:
        agree_undo(session, office.approver, office.school_id, act, PAID_AT)

    def end(session: Session) -> None:
        take_back_shortfall(session, office.accountant, office.school_id, relief, "Ngân hàng đã bù", PAID_AT)

    with pytest.raises(Conflict, match="giao dịch của nó vừa được gỡ"):
        one_while_the_other_is_open(office, undo, end)
    assert office.rest(0) == 650_000
    assert office.broken() == []


def test_the_match_is_undone_while_the_shortfall_is_ended(office: Office) -> None:
    """The undoing is carried out, and finds nothing left to end."""
    relief, act = accepted(office)

    def undo(session: Session) -> None:
        agree_undo(session, office.approver, office.school_id, act, PAID_AT)

    def end(session: Session) -> None:
        take_back_shortfall(session, office.accountant, office.school_id, relief, "Ngân hàng đã bù", PAID_AT)

    one_while_the_other_is_open(office, end, undo)
    assert office.rest(0) == 650_000
    assert office.broken() == []
