"""A bank's day closes: opening + in - out = closing, whatever callbacks told, came late, twice, or never."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from sqlmodel import select

from billing.money import Money, total
from reconciliation.daily_check import check_day
from reconciliation.feeds.opening import statement_feed
from reconciliation.feeds.stand_in import Movement, as_it_really_comes
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.matching import Direction
from reconciliation.statements.importing import import_statement
from reconciliation.tables import StatementFile, StatementLine, Transfer
from service.database import EVERYTHING
from service.invariants import check_all
from tests.factories.collecting import PAID_AT, Collecting
from tests.journeys.money_in.town import MARKS, PROOF

DAY = date(2025, 10, 6)
OPENING = Money(12_345_678)
MOVEMENTS = 60 if PROOF else 20

pytestmark = MARKS


def a_day(world: Collecting, random: Random) -> list[Movement]:
    """Let the bank book a day's movements: paid bills, equal sums in the same minute, no codes, money out."""
    world.bank.open_account(world.account.number, OPENING)
    start = PAID_AT - timedelta(hours=7)
    return [
        world.pays(
            random.choice([world.requests[0].reference, world.requests[1].reference, "khong ghi ma"]),
            random.choice([50_000, 50_000, 11_000, 1_000 * random.randrange(1, 900)]),
            at=start + timedelta(minutes=20 * (number // 2)),
            direction=Direction.OUT if random.random() < 0.2 else Direction.IN,
        )
        for number in range(MOVEMENTS)
    ]


def bring_statement(world: Collecting, movements: list[Movement]) -> None:
    """Bring the bank's own statement of the day."""
    head = StatementHead(
        account=world.account.number, owner=world.school.name, first_day=DAY, last_day=DAY, opening=OPENING
    )
    vault = world.wiring.vault
    with world.database.transaction(world.scope) as session:
        feed = statement_feed(session, vault, world.account, PAID_AT)
        import_statement(session, vault, feed, statement(head, movements), None, PAID_AT + timedelta(hours=12))


@pytest.mark.parametrize("seed", range(20 if PROOF else 2))
def test_opening_and_in_and_out_make_the_closing(collecting: Collecting, seed: int) -> None:
    random = Random(seed)  # noqa: S311  chance, not secrecy
    movements = a_day(collecting, random)
    told = [one for one in as_it_really_comes(movements, random, again=0.3) if one.id % 10]  # one in ten is never told
    middle = random.randrange(len(told))
    collecting.hear_of(*told[:middle])
    bring_statement(collecting, movements)
    collecting.hear_of(*told[middle:])

    with collecting.database.transaction(collecting.scope) as session:
        (check,) = check_day(session, collecting.school.id, DAY, PAID_AT)
        file = session.exec(select(StatementFile)).one()
        ties = [line.transfer_id for line in session.exec(select(StatementLine)).all()]
        live = session.exec(select(Transfer).where(Transfer.state != "duplicate")).all()
    closing = movements[-1].balance
    assert file.opening + file.money_in - file.money_out == file.closing == closing
    assert (check.bank_net, check.book_net, check.difference) == (closing - OPENING, closing - OPENING, Money(0))
    assert total(each.amount if each.direction == "in" else -each.amount for each in live) == closing - OPENING
    assert len(set(ties)) == len(ties) == len(live) == MOVEMENTS
    assert set(ties) == {each.id for each in live}
    with collecting.database.transaction(EVERYTHING) as session:
        (closes,) = [each for each in check_all(session, collecting.wiring.vault, PAID_AT) if each.id == "I16"]
    assert closes.ok, closes.problems
