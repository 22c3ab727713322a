"""Notice, list, statement and refusals of money out, in whatever order: 112 holds what the bank's statement says."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from random import Random

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from billing.audit.recording import Actor
from billing.errors import Conflict
from billing.money import Money, total
from billing.storage import new_id
from reconciliation.daily_check import bank_net, book_net
from reconciliation.feeds.base import STATEMENT
from reconciliation.feeds.opening import HOLD_ABOVE, statement_feed
from reconciliation.feeds.sepay import HMAC, SepayFeed
from reconciliation.feeds.stand_in import Movement
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.inbox import store_message
from reconciliation.matching import Direction
from reconciliation.releasing import approve_release, ask_distrust
from reconciliation.statements.importing import import_statement
from reconciliation.tables import Transfer
from reconciliation.transfers import Origin, lock_account, write_transfer
from tests.factories.collecting import PAID_AT, SECRET, Collecting

FIRST = datetime(2025, 11, 1, 3, 0, tzinfo=UTC)
LATER = PAID_AT + timedelta(days=400)
MAKER, CHECKER = Actor(new_id(), "accountant"), Actor(new_id(), "approver")
LARGE, SMALL = HOLD_ABOVE.dong + 1, 40_000
START = Money(100_000_000_000)
_stretch = count()  # every example lives on days of its own, so that one database serves them all


@dataclass(frozen=True)
class Plan:
    """Money out to be: its sum, whether the bank knows it, whether a key tells of it, and the list if it is real."""

    dong: int
    real: bool
    told: bool
    listed: bool


plans = st.builds(
    Plan, dong=st.sampled_from([LARGE, SMALL]), real=st.booleans(), told=st.booleans(), listed=st.booleans()
).filter(lambda plan: plan.real or plan.told)


def tell(collecting: Collecting, movement: Movement, *, listed: bool) -> None:
    """Let a bare key or the provider's list tell of a movement, as normalising does."""
    vault, body = collecting.wiring.vault, collecting.bank.callback(movement)
    with collecting.database.transaction(collecting.scope) as session:
        inbox_id = store_message(session, vault, collecting.feed, body + b" " * listed, LATER)
        assert inbox_id is not None
        lock_account(session, collecting.account.id)
        (read,) = SepayFeed(HMAC, [SECRET]).read(body)
        held = not listed and movement.amount > HOLD_ABOVE
        write_transfer(session, vault, Origin(collecting.account, inbox_id, held=held, listed=listed), read, LATER)


def bring(collecting: Collecting, booked: list[Movement], day: date, opening: Money) -> None:
    head = StatementHead(
        account=collecting.account.number, owner="Trường", first_day=day, last_day=day, opening=opening
    )
    with collecting.database.transaction(collecting.scope) as session:
        feed = statement_feed(session, collecting.wiring.vault, collecting.account, PAID_AT)
        import_statement(session, collecting.wiring.vault, feed, statement(head, booked), None, LATER)


def put_aside(collecting: Collecting, place: int, day: date) -> None:
    """Let two people put aside one of the day's transfers, where the rules let them."""
    with collecting.database.transaction(collecting.scope) as session:
        query = select(Transfer).where(Transfer.value_date == day, Transfer.provider != STATEMENT)
        found = session.exec(query.order_by("id")).all()
        if found:
            with suppress(Conflict):
                school, doubted = collecting.school.id, found[place % len(found)].id
                asked = ask_distrust(session, MAKER, school, doubted, "không có ở ngân hàng", LATER)
                approve_release(session, CHECKER, school, asked.id, LATER)


def test_112_is_the_banks_sum_after_any_order(collecting: Collecting) -> None:
    gone = [Money(0)]

    @settings(max_examples=10, phases=(Phase.explicit, Phase.generate))
    @given(st.lists(plans, min_size=1, max_size=5), st.integers(0, 4), st.randoms())
    def play(rows: list[Plan], refusals: int, chance: Random) -> None:
        start = FIRST + timedelta(days=3 * next(_stretch))
        day = (start + timedelta(hours=7)).date()
        movements = [
            collecting.pays(f"chi tien {n}", plan.dong, direction=Direction.OUT, at=start + timedelta(minutes=n))
            for n, plan in enumerate(rows)
        ]
        both = list(zip(rows, movements, strict=True))
        real = [movement for plan, movement in both if plan.real]
        deeds = [partial(tell, collecting, movement, listed=False) for plan, movement in both if plan.told]
        deeds += [
            partial(tell, collecting, movement, listed=True) for plan, movement in both if plan.real and plan.listed
        ]
        deeds.append(partial(bring, collecting, real, day, START - gone[0]))
        deeds += [partial(put_aside, collecting, chance.randrange(9), day) for _ in range(refusals)]
        chance.shuffle(deeds)
        for deed in deeds:
            deed()
        for place in range(len(rows)):  # whatever the statement lacks is put aside in the end
            put_aside(collecting, place, day)
        gone[0] += total(movement.amount for movement in real)
        with collecting.database.transaction(collecting.scope) as session:
            account = session.merge(collecting.account)
            assert book_net(session, account, day) == -gone[0] == bank_net(session, account, day)

    play()
