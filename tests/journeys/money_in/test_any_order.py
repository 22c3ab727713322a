"""Callbacks that come in any order, some twice, up to 72 hours late, read at any moment, leave the same rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

import httpx
from sqlmodel import col, select

from billing.payments.tables import Payment
from billing.vault import Vault
from reconciliation.feeds.stand_in import Movement
from reconciliation.matching import Direction
from reconciliation.tables import Match
from service.database import Database
from service.door import Door
from service.jobs import reconciling
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.factories.serving import serving
from tests.journeys.money_in.town import MARKS, PROOF

ORDERS = 20 if PROOF else 2
LATEST = timedelta(hours=72)
DUES = (650_000, 300_000, 420_000, 75_000, 500_000, 1_200_000)

pytestmark = MARKS


def pay(world: Collecting) -> list[Movement]:
    """Let families pay in every usual way, in the course of a day."""
    one, two, three, four, five, six = (request.reference for request in world.requests)
    hours = count()

    def book(memo: str, dong: int, **more: object) -> Movement:
        return world.pays(memo, dong, at=PAID_AT + timedelta(hours=next(hours) % 20), **more)

    return [
        book(one, 650_000, route="from Vietcombank"),
        book(two, 100_000),
        book(two, 250_000),  # with the one before: more than is due, whichever comes first
        book(f"{three} {four}", 495_000),
        book(five, 500_000),
        book(five, 500_000),  # the same sum again: a credit
        book(six, 400_000),
        book(six, 400_000),
        book("khong ghi ma", 90_000),
        book("khong ghi ma", 90_000),
        book(f"{one} {two}", 10_000),
        book("phi quan ly", 11_000, direction=Direction.OUT),
    ]


def tell(world: Collecting, movements: list[Movement], random: Random) -> None:
    """Deliver each callback late, some twice; the clock is where each delivery is; jobs run now and then."""
    told = [one for one in movements for _ in range(1 + (random.random() < 0.3))]
    deliveries = [(one.at + LATEST * random.random(), place, one) for place, one in enumerate(told)]
    now = [PAID_AT]
    world.wiring = replace(world.wiring, clock=lambda: now[0])
    with serving(Door(world.wiring)) as url, httpx.Client() as client:
        door = world.door(url)
        for moment, _, one in sorted(deliveries):
            now[0] = moment
            body = world.bank.callback(one)
            assert client.post(door.url, content=body, headers=door.headers(body, moment)).status_code == 200
            if random.random() < 0.3:
                random.choice((world.reconcile, lambda: reconciling.normalise(world.wiring)))()
    now[0] = PAID_AT + 2 * LATEST
    world.reconcile()


def rows(world: Collecting) -> dict[str, object]:
    """Return what is on the books, without what a row happens to be called or when it was written.

    Of two payments for one bill, which of them paid the rest and which became a credit does hang on their order; what
    the bill got and what the child has does not.
    """
    names = {request.reference: f"<{place}>" for place, request in enumerate(world.requests)}
    children = {child.id: place for place, child in enumerate(world.children)}

    def without_codes(memo: str) -> str:
        for reference, name in names.items():
            memo = memo.replace(reference, name)
        return memo

    transfers = {each.id: each for each in world.transfers()}
    with world.database.transaction(world.scope) as session:
        payments = session.exec(select(Payment)).all()
        waiting = session.exec(select(Match).order_by(col(Match.id))).all()
    return {
        "transfers": [
            (
                one.provider_id,
                one.direction,
                one.amount,
                without_codes(one.memo),
                one.occurred_at,
                one.value_date,
                one.state,
            )
            for one in transfers.values()
        ],
        "payments": sorted(
            (transfers[one.source_id].provider_id, children[one.pupil_id], one.amount.dong, one.value_date)
            for one in payments
        ),
        "waiting": sorted(
            (transfers[one.transfer_id].provider_id, str(one.evidence["rule"]))
            for one in waiting
            if transfers[one.transfer_id].state == "waiting"
        ),
        "receipts": sorted(amount for _, amount in world.receipts()),
        "numbers": [number for number, _ in world.receipts()],
        "rests": world.rests(),
        "books": world.books(),
    }


def test_late_and_shuffled_callbacks_leave_the_same_rows(
    database: Database, addresses: Addresses, vault: Vault
) -> None:
    pictures, moments = [], set[tuple[datetime, ...]]()
    for order in range(ORDERS + 1):
        world = make_collecting(database, addresses, vault, dues=DUES)
        movements = pay(world)
        if order == 0:
            world.hear_of(*movements)
        else:
            tell(world, movements, Random(order))  # noqa: S311  chance, not secrecy
        told = rows(world)
        moments.add(tuple(each.recorded_at for each in world.transfers()))
        pictures.append(without_account(told, world))

    assert pictures[1:] == pictures[:1] * ORDERS
    assert len(moments) == ORDERS + 1, "they did come at other moments"


def without_account(told: dict[str, object], world: Collecting) -> str:
    """Return the picture as text; what damages memos names the receiving account, which each world has its own of."""
    return repr(told).replace(world.account.number, "<account>").replace(world.school.name, "<school>")
