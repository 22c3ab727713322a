"""A school that billed, was paid in every usual way, told families and staff, and sealed its book: nothing is wrong."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from random import Random

from billing.banking.changing import WantedAccount, ask_account
from billing.payments.balances import request_balances, rest_of
from billing.vault import Vault
from notifications.planning import plan_events, unplanned
from notifications.rules import Via
from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.sepay import HMAC
from reconciliation.feeds.stand_in import StandInBank
from reconciliation.matching import Direction
from service.database import EVERYTHING, Database
from service.jobs import accounts, sealing
from service.preparing import Addresses
from service.settings import Settings
from service.wiring import Wiring
from tests.factories.collecting import PAID_AT, SECRET, Collecting, paid_at
from tests.factories.rounds import issued_round, make_billing_school, register, requests_of
from tests.factories.schools import make_user

BILLED_AT = PAID_AT - timedelta(days=3)


def make_billed(database: Database, addresses: Addresses, vault: Vault, pupils: int = 4) -> Collecting:
    """Make the school with a round issued by two people and a feed; nothing is paid yet."""
    rung: list[str] = []
    wiring = Wiring(Settings.model_construct(), addresses, "", database, vault, paid_at, rung.append)
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=pupils)
        for child in billing.pupils:
            register(session, child, "BANTRU", "TIENAN")
        issued_round(session, billing, BILLED_AT)
        feed, token = open_feed(session, vault, billing.account, "sepay", HMAC, SECRET, None, BILLED_AT)
        requests = [requests_of(session, child)[0] for child in billing.pupils]
    bank = StandInBank({billing.account.number: billing.school.name}, Random(4))  # noqa: S311  chance, not secrecy
    return Collecting(wiring, billing.school, billing.account, feed, token, billing.pupils, requests, bank, rung)


def due_of(world: Collecting, child: int) -> int:
    """Return what is still due on a child's request, in đồng."""
    with world.database.transaction(world.scope) as session:
        request = world.requests[child]
        return rest_of(request_balances(session, world.school.id, [request.id])[request.id]).dong


def make_sound(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    """Bill, be paid in full, in part, too much and without a code, pay out, ask for an account; tell and seal."""
    world = make_billed(database, addresses, vault)
    first, second, third, _ = (request.reference for request in world.requests)
    world.hear_of(
        world.pays(f"HP {first} thang 10", due_of(world, 0)),
        world.pays(second, due_of(world, 1) + 50_000),
        world.pays(f"{third}-CT DEN", 1_000),
        world.pays("nop tien an cho chau Nam", 200_000),
        world.pays("phi quan ly tai khoan", 11_000, direction=Direction.OUT),
    )
    _ask_for_an_account(world)
    tell(world)
    sealing.seal(world.wiring)
    return world


def _ask_for_an_account(world: Collecting) -> None:
    """Staff are told of this, families are not."""
    wanted = WantedAccount("970415", "113000123456", "TRUONG TIEU HOC", "callback", "Công văn 12")
    with world.database.transaction(world.scope) as session:
        make_user(session, world.school, "auditor")
        ask_account(session, make_user(session, world.school), world.school.id, wanted, PAID_AT)


def tell(world: Collecting) -> None:
    """Plan the messages of all events."""
    staff = partial(accounts.colleagues, world.wiring)
    with world.database.transaction(EVERYTHING) as session:
        ids = [event_id for _, event_id in unplanned(session, 100)]
        plan_events(session, ids, PAID_AT, {Via.ZALO, Via.MAIL}, staff)
