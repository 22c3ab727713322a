"""Ties of deposits that no rule suggests, on real rows: asked for by one, agreed to by another, refused elsewhere."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.audit.recording import Actor
from billing.cash.till_tables import CashDeposit
from billing.errors import SamePerson
from billing.storage import Row, new_id
from billing.vault import Vault
from reconciliation.decided_elsewhere import decided_elsewhere
from reconciliation.depositing.tables import CashDepositTie, CashTieAsk, CashTieDecision
from reconciliation.depositing.tying import tie_deposit
from reconciliation.tables import Transfer
from service.access.tables import RoleGrant
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.test_cash_pages import reads
from tests.service.pages.test_claims import form, send
from tests.service.pages.test_till_pages import DEPOSITS, People, nothing_broken
from tests.service.pages.worlds import World, make_world
from tests.standing import standing


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers)


@pytest.fixture
def people(world: World) -> People:
    return People(world)


def deposited(people: People) -> str:
    """Let the cashier take 700.000 đ, count it and bring it to the bank; return the deposit."""
    people.takes(700_000)
    assert people.counts(1, 1) == 303
    page = reads(people.cashier, DEPOSITS)
    key = re.search(r'name="khoa" value="([^"]+)"', page)
    account = re.search(r'<option value="([0-9a-f-]+)"', page)
    assert key
    assert account
    send(people.cashier, DEPOSITS, DEPOSITS, khoa=key[1], tai_khoan=account[1], so_tien="700.000", so_giay="NT 000123")
    [found] = re.findall(rf"{DEPOSITS}/([0-9a-f-]+)/rut-lai", reads(people.approver, DEPOSITS))
    return str(found)


def of_families(world: World) -> Transfer:
    """Let money of that sum come whose memo names two families, so that it waits; return it."""
    first, second = (request.reference for request in world.collecting.requests[:2])
    world.collecting.hear_of(world.collecting.pays(f"{first} {second}", 700_000))
    [transfer] = world.collecting.transfers()
    assert transfer.state == "waiting"
    return transfer


def stored(world: World, *rows: Row) -> None:
    """Write rows past our rules, as the database alone judges them."""

    def store(session: Session) -> None:
        for row in rows:
            session.add(row)
            session.flush()

    world.change(store)


def status(client: TestClient, action: str, **fields: str) -> int:
    return client.post(action, data=form(client, DEPOSITS, **fields)).status_code


def test_money_of_a_family_is_tied_by_two_people_alone(world: World, people: People) -> None:
    deposit = deposited(people)
    transfer = of_families(world)
    page = reads(people.accountant, DEPOSITS)
    assert "Đúng, gắn với giao dịch này" not in page
    assert "Đề nghị gắn, người khác đồng ý" in page
    tie, ask = f"{DEPOSITS}/{deposit}/gan", f"{DEPOSITS}/{deposit}/de-nghi-gan"
    money = {"giao_dich": str(transfer.id)}
    assert status(people.accountant, tie, **money) == 422
    assert status(people.accountant, ask, **money) == 422, "without a reason"
    send(people.accountant, DEPOSITS, ask, **money, ly_do="Quầy ghi nhầm mã của em vào nội dung")
    assert status(people.accountant, ask, **money, ly_do="lần nữa") == 409
    [asked] = re.findall(rf"{DEPOSITS}/gan/([0-9a-f-]+)/dong-y", reads(people.approver, DEPOSITS))
    assert f"{asked}/dong-y" not in reads(people.accountant, DEPOSITS)
    assert status(people.accountant, f"{DEPOSITS}/gan/{asked}/dong-y") == 403
    told: list[str] = []
    world.change(lambda session: told.append(decided_elsewhere(session, session.get_one(Transfer, transfer.id))))
    assert "lần nộp tiền mặt" in told[0], "nobody else decides about it meanwhile"
    send(people.approver, DEPOSITS, f"{DEPOSITS}/gan/{asked}/khong", ly_do="Chưa có giấy của ngân hàng")
    assert status(people.approver, f"{DEPOSITS}/gan/{asked}/dong-y") == 409
    send(people.accountant, DEPOSITS, ask, **money, ly_do="Giấy nộp tiền NT 000123 đây")
    [again] = re.findall(rf"{DEPOSITS}/gan/([0-9a-f-]+)/dong-y", reads(people.approver, DEPOSITS))
    send(people.approver, DEPOSITS, f"{DEPOSITS}/gan/{again}/dong-y")
    assert "ngân hàng đã nhận" in reads(people.cashier, DEPOSITS)
    nothing_broken(world)


def test_what_comes_too_late_is_no_suggestion(world: World, people: People) -> None:
    deposited(people)
    late = world.clock() + timedelta(days=10)
    world.clock.now = late
    world.collecting.hear_of(world.collecting.pays("NOP TIEN MAT NT000123", 700_000, at=late))
    page = reads(world.signed_in(people.users["accountant"]), DEPOSITS)
    assert "Đúng, gắn với giao dịch này" not in page
    assert "Đề nghị gắn, người khác đồng ý" in page


def test_who_made_the_deposit_and_keeps_the_accounts_later_ties_nothing(world: World, people: People) -> None:
    deposit = UUID(deposited(people))
    world.collecting.hear_of(world.collecting.pays("NOP TIEN MAT NT000123", 700_000))
    [transfer] = world.collecting.transfers()
    cashier = people.users["cashier"].id
    tomorrow = world.clock().date() + timedelta(days=1)

    def changes_place(session: Session) -> None:
        [held] = session.exec(select(RoleGrant).where(col(RoleGrant.user_id) == cashier)).all()
        held.valid_to = world.clock().date()
        session.add(held)
        session.flush()
        session.add(RoleGrant(user_id=cashier, role="accountant", school_id=world.billing.id, valid_from=tomorrow))

    world.change(changes_place)

    def ties(session: Session) -> None:
        actor = Actor(user_id=cashier, role="accountant")
        tie_deposit(session, actor, world.billing.id, deposit, transfer.id, world.clock())

    with pytest.raises(SamePerson):
        world.change(ties)
    with pytest.raises(IntegrityError, match="tied by another person"):
        stored(world, raw_tie(world, deposit, transfer, made_by=cashier))


def raw_tie(world: World, deposit: UUID, transfer: Transfer, *, made_by: UUID) -> CashDepositTie:
    entries: list[int] = []
    world.change(lambda session: entries.append(session.get_one(CashDeposit, deposit).entry_id))
    return CashDepositTie(
        school_id=world.billing.id, deposit_id=deposit, transfer_id=transfer.id, entry_id=entries[0],
        made_by=made_by, at=world.clock(),
    )  # fmt: skip


def test_the_database_wants_two_for_what_is_no_suggestion(world: World, people: People) -> None:
    deposit = UUID(deposited(people))
    transfer = of_families(world)
    accountant, cashier = people.users["accountant"].id, people.users["cashier"].id
    approver = people.users["approver"].id

    def asks(made_by: UUID = accountant) -> CashTieAsk:
        return CashTieAsk(
            id=new_id(), school_id=world.billing.id, deposit_id=deposit, transfer_id=transfer.id, reason="x",
            made_by=made_by, at=world.clock(),
        )  # fmt: skip

    def says(asked: CashTieAsk, person: UUID, *, agreed: bool = True) -> CashTieDecision:
        return CashTieDecision(
            ask_id=asked.id, school_id=world.billing.id, agreed=agreed, reason="" if agreed else "x",
            decided_by=person, at=world.clock(),
        )  # fmt: skip

    def tie() -> CashDepositTie:
        return raw_tie(world, deposit, transfer, made_by=approver)

    with pytest.raises(IntegrityError, match="two people agreed"):
        stored(world, tie())
    first = asks()
    with pytest.raises(IntegrityError, match="two people agreed"):
        stored(world, first, says(first, approver, agreed=False), tie())
    for person in (accountant, cashier):
        mine = asks()
        with pytest.raises(IntegrityError, match="agreed to by another person"):
            stored(world, mine, says(mine, person))
    with pytest.raises(IntegrityError, match="waits already"):
        stored(world, asks(), asks())
    last = asks()
    stored(world, last, says(last, approver), tie())
