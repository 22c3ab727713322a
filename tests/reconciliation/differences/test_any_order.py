"""Callbacks, lists and statements in whatever order leave one transfer for each movement and the same differences."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from random import Random

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from billing.money import Money, total
from billing.storage import new_id
from reconciliation.differences.differing import Kind
from reconciliation.differences.reading import differing
from reconciliation.differences.tables import TransferTelling
from reconciliation.feeds.opening import reader_of, statement_feed
from reconciliation.feeds.stand_in import Movement
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.inbox import store_message
from reconciliation.statements.importing import import_statement
from reconciliation.tables import Feed, Transfer
from reconciliation.transfers import Origin, lock_account, write_transfer
from tests.factories.collecting import PAID_AT, Collecting

LATER = PAID_AT + timedelta(days=400)
FIRST = datetime(2025, 11, 1, 3, 0, tzinfo=UTC)
_stretch = count()  # every example lives on days of its own, so that one database serves them all


@dataclass(frozen=True)
class Plan:
    """One movement to be: day, sum, and which feeds tell of it."""

    day: int
    dong: int
    called: bool
    listed: bool
    booked: bool


plans = st.builds(
    Plan,
    day=st.integers(0, 1),
    dong=st.sampled_from([50_000, 70_000]),
    called=st.booleans(),
    listed=st.booleans(),
    booked=st.booleans(),
).filter(lambda plan: plan.called or plan.listed or plan.booked)


def listing(collecting: Collecting) -> Feed:
    """Return the account's list feed, made once."""
    with collecting.database.transaction(collecting.scope) as session:
        found = session.exec(select(Feed).where(Feed.scheme == "list")).one_or_none()
        if found is None:
            found = Feed(
                school_id=collecting.school.id, bank_account_id=collecting.account.id, provider="sepay", scheme="list",
                path_hash=new_id().bytes, opened_at=PAID_AT,
            )  # fmt: skip
            session.add(found)
    return found


def tell(collecting: Collecting, feed: Feed, movement: Movement) -> None:
    """Let a callback or a page of the list tell of a movement, as normalising does."""
    vault, body = collecting.wiring.vault, collecting.bank.callback(movement)
    with collecting.database.transaction(collecting.scope) as session:
        inbox_id = store_message(session, vault, feed, body, LATER)
        assert inbox_id is not None
        lock_account(session, collecting.account.id)
        (read,) = reader_of(collecting.feed, vault).read(body)
        write_transfer(session, vault, Origin(collecting.account, inbox_id), read, LATER)


def bring(collecting: Collecting, booked: list[Movement], first: date) -> None:
    head = StatementHead(
        account=collecting.account.number,
        owner="Trường",
        first_day=first,
        last_day=first + timedelta(days=1),
        opening=Money(0),
    )
    with collecting.database.transaction(collecting.scope) as session:
        feed = statement_feed(session, collecting.wiring.vault, collecting.account, PAID_AT)
        import_statement(session, collecting.wiring.vault, feed, statement(head, booked), None, LATER)


def expected(rows: list[Plan], movements: list[Movement], first: date, last: date) -> Counter[tuple[Kind, Money]]:
    """Return the differences by counting, without any pairing: every movement has a number of the bank's own."""
    found: Counter[tuple[Kind, Money]] = Counter()
    for plan, movement in zip(rows, movements, strict=True):
        if first <= (movement.at + timedelta(hours=7)).date() <= last and not plan.booked:
            found[Kind.NOT_ON_STATEMENT, movement.amount] += 1
        if plan.listed and not plan.called:
            found[Kind.ONLY_LISTED, movement.amount] += 1
        if plan.booked and not plan.listed and not plan.called:
            found[Kind.NEVER_CALLED, movement.amount] += 1
    return found


def test_any_order_and_interleaving_gives_the_same_differences(collecting: Collecting) -> None:
    lists = listing(collecting)

    @settings(max_examples=8, phases=(Phase.explicit, Phase.generate))
    @given(st.lists(plans, min_size=1, max_size=5), st.randoms())
    def play(rows: list[Plan], chance: Random) -> None:
        start = FIRST + timedelta(days=5 * next(_stretch))
        first = (start + timedelta(hours=7)).date()
        movements = [
            collecting.pays(f"tien thang {n}", plan.dong, at=start + timedelta(days=plan.day, minutes=n))
            for n, plan in enumerate(rows)
        ]
        both = list(zip(rows, movements, strict=True))
        deeds = [partial(tell, collecting, collecting.feed, movement) for plan, movement in both if plan.called]
        deeds += [partial(tell, collecting, lists, movement) for plan, movement in both if plan.listed]
        booked = [movement for plan, movement in both if plan.booked]
        if booked:
            deeds.append(partial(bring, collecting, sorted(booked, key=lambda each: each.at), first))
        chance.shuffle(deeds)
        for deed in deeds:
            deed()
        with collecting.database.transaction(collecting.scope) as session:
            found = [d for d in differing(session, [collecting.school.id], first) if d.day <= first + timedelta(days=1)]
            transfers = session.exec(
                select(Transfer).where(
                    Transfer.value_date >= first,
                    Transfer.value_date <= first + timedelta(days=1),
                    Transfer.state != "duplicate",
                )
            ).all()
        told = Counter((kind, each.amount) for each in found for kind in each.kinds)
        covers = (first, first + timedelta(days=1)) if booked else (date.max, date.min)
        assert told == expected(rows, movements, *covers)
        assert len(transfers) == len(rows)
        assert total(each.amount for each in transfers) == total(m.amount for m in movements)

    play()


def test_equal_sums_leave_as_many_as_are_too_many(collecting: Collecting) -> None:
    """Three equal callbacks against two equal lines without a number: one is left, whichever it is."""
    movements = [collecting.pays("tien an", 70_000, at=PAID_AT + timedelta(minutes=n)) for n in range(3)]
    for movement in movements:
        tell(collecting, collecting.feed, movement)
    bring(collecting, movements[:2], PAID_AT.date())
    tell(collecting, listing(collecting), movements[0])
    tell(collecting, listing(collecting), movements[1])
    with collecting.database.transaction(collecting.scope) as session:
        found = differing(session, [collecting.school.id], PAID_AT.date())
        tellings = session.exec(select(TransferTelling)).all()
    assert [(each.kinds, each.amount) for each in found] == [((Kind.NOT_ON_STATEMENT,), Money(70_000))]
    assert len(tellings) == 2  # once for each transfer and feed, however often the list is fetched
