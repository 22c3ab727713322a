"""Children's own numbers over the real web: entered by two, given, taken back; old money still finds its child."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.errors import SamePerson
from billing.payments.pooling import approve_numbers, enter_numbers
from billing.payments.tables import VirtualAccount
from billing.payments.virtual_accounts import COOLING, assign_virtual_accounts, holder_of, release_number
from reconciliation.book import RowsBook
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World

PATH = "/van-phong/tai-khoan/so-rieng"
LIST = "96247ABC000001\n96247ABC000002\n"
FIRST, SECOND = LIST.split()


@pytest.fixture
def people(world: World) -> dict[str, TestClient]:
    return {role: world.signed_in(world.staff(role)) for role in ("accountant", "approver")}


def test_a_list_is_entered_by_two_and_given_to_a_class(people: dict[str, TestClient]) -> None:
    maker, checker = people["accountant"], people["approver"]
    account = re.search(r'name="tai_khoan" value="([0-9a-f-]+)"', maker.get(PATH).text)
    assert account
    typed = {"tai_khoan": account[1], "danh_sach": LIST + "96247ABC000001\nx", "can_cu": "Thư ngày 01/10"}
    answer = maker.post(PATH, data=form(maker, PATH, **typed))
    assert answer.status_code == 422
    assert "2 dòng cần sửa" in answer.text
    send(maker, PATH, PATH, **{**typed, "danh_sach": LIST})
    agree = re.search(rf'action="({PATH}/[0-9a-f-]+/duyet)', checker.get(PATH).text)
    assert agree
    assert maker.post(agree[1], data=form(maker, PATH)).status_code == 403
    send(checker, PATH, agree[1])
    assert checker.post(agree[1], data=form(checker, PATH)).status_code == 409
    group = re.search(r'<select id="lop-1" name="lop"><option value="([0-9a-f-]+)"', maker.get(PATH).text)
    assert group
    send(maker, PATH, f"{PATH}/cap", tai_khoan=account[1], lop=group[1])
    shown = maker.get(PATH).text
    assert FIRST in shown
    take = re.search(rf'action="({PATH}/thu-hoi/[0-9]+)', shown)
    assert take
    assert maker.post(take[1], data=form(maker, PATH)).status_code == 422, "without a reason"
    send(maker, PATH, take[1], ly_do="Chuyển trường")
    assert "Chuyển trường" in maker.get(PATH).text


def test_who_had_a_number_when_is_never_lost(world: World) -> None:
    account, vault, now = world.billing.account, world.wiring.vault, world.clock()
    one, other = (pupil.id for pupil in world.billing.pupils[:2])
    maker, checker = world.billing.accountant, world.billing.approver

    def first(session: Session) -> int:
        made = enter_numbers(session, maker, account, FIRST, "Thư", now)
        with pytest.raises(SamePerson):
            approve_numbers(session, maker, world.billing.id, made.id, now)
        approve_numbers(session, checker, world.billing.id, made.id, now)
        assert assign_virtual_accounts(session, account, [one], now) == {one: FIRST}
        row = session.exec(select(VirtualAccount).where(VirtualAccount.number == FIRST)).one()
        return row.id or 0

    with world.collecting.database.transaction(world.collecting.scope) as session:
        key = first(session)
    gone = now + timedelta(days=30)
    with world.collecting.database.transaction(world.collecting.scope) as session:
        release_number(session, maker, world.billing.id, key, "Chuyển trường", gone)

    def finds(session: Session, at: datetime | None) -> list[str]:
        book = RowsBook(session, world.billing.id, account.id, vault, at)
        return sorted({entry.pupil for entry in book.by_virtual_account(FIRST)})

    again = gone + COOLING
    with world.collecting.database.transaction(world.collecting.scope) as session:
        assert finds(session, gone - timedelta(minutes=1)) == [str(one)], "dated before the release"
        assert finds(session, gone) == [], "waits for a person"
        assert finds(session, None) == []
        early = assign_virtual_accounts(session, account, [other], again - timedelta(minutes=1))
        assert FIRST not in early.values(), "still cooling"
    with world.collecting.database.transaction(world.collecting.scope) as session:
        session.execute(text("SAVEPOINT here"))
        row = VirtualAccount(
            school_id=world.billing.id, bank_account_id=account.id, number=FIRST, pupil_id=other,
            assigned_at=again - timedelta(minutes=1),
        )  # fmt: skip
        session.add(row)
        with pytest.raises(IntegrityError, match="a short time ago"):
            session.flush()
        session.rollback()
    with pytest.raises(IntegrityError, match="never written anew"), rewriting(world) as session:
        session.execute(text("UPDATE virtual_accounts SET released_at = NULL WHERE id = :id"), {"id": key})
    third = world.billing.pupils[2].id
    with world.collecting.database.transaction(world.collecting.scope) as session:
        given = assign_virtual_accounts(session, account, [third], again)
        assert given == {third: FIRST}
        assert finds(session, again) == [str(third)]
        assert finds(session, gone - timedelta(minutes=1)) == [str(one)], "old money finds who had it then"
        assert holder_of(session, world.billing.id, account.id, FIRST, gone + timedelta(days=1)) is None
        rows = session.exec(select(VirtualAccount.pupil_id).where(col(VirtualAccount.number) == FIRST)).all()
        assert sorted(filter(None, rows), key=UUID.__int__) == sorted([one, third], key=UUID.__int__)


def rewriting(world: World) -> AbstractContextManager[Session]:
    return world.collecting.database.transaction(world.collecting.scope)
