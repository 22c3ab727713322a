"""The cash desk under hands that err: odd characters, other schools' ids, keys used again, roles that ended, breaks."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from billing.cash import taking
from billing.cash.tables import CashReversal, CashTaking, PaperBook
from billing.cash.till_tables import CashCount, CashDeposit
from billing.vault import Vault
from service.access.tables import RoleGrant
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.rounds import make_billing_school
from tests.service.pages.test_cash_pages import CASH, cash_of, hidden, reads, takings
from tests.service.pages.test_claims import form, send
from tests.service.pages.test_till_pages import COUNTS, DEPOSITS, HANDOVERS, People, nothing_broken
from tests.service.pages.worlds import World, make_world
from tests.standing import standing

WITHDRAWALS = f"{CASH}/rut-tien"
ODD = ("²", "１２", "-5", "1e3", "0x10", "9" * 30, "\x00", "\ud7ff", "<b>", "'; DROP TABLE cash_takings; --", "　")


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers)


@pytest.fixture
def people(world: World) -> People:
    return People(world)


def calm(status: int) -> bool:
    """Say whether an answer is one that somebody thought of."""
    return status in {200, 303, 400, 403, 404, 409, 413, 422}


def test_odd_characters_everywhere_break_nothing(world: World, people: People) -> None:
    people.takes(700_000)
    assert people.counts(1, 1) == 303
    desk, child = people.cashier, world.billing.pupils[0].id
    send(desk, f"{CASH}/quyen", f"{CASH}/quyen", ky_hieu="AB/25", tu_so="1", den_so="50")
    [book] = re.findall(rf"{CASH}/quyen/([0-9a-f-]+)", reads(desk, f"{CASH}/quyen"))
    forms = {
        f"{CASH}/hoc-sinh/{child}": ("so_tien", "thong_bao", "dau", "khoa", "nguoi_nop", "quyen", "so", "ngay"),
        f"{CASH}/quyen": ("ky_hieu", "tu_so", "den_so"),
        f"{CASH}/quyen/{book}/hong": ("so", "ly_do"),
        COUNTS: ("to", "so_sach", "ly_do", "khoa"),
        DEPOSITS: ("tai_khoan", "so_tien", "so_giay", "khoa"),
        WITHDRAWALS: ("tai_khoan", "so_tien", "so_giay", "khoa"),
        HANDOVERS: ("nguoi_nhan", "ghi_chu", "khoa"),
    }
    token = form(desk, f"{CASH}/quyen")
    for action, fields in forms.items():
        for odd in ODD:
            assert calm(desk.post(action, data={**token, **dict.fromkeys(fields, odd)}).status_code), (action, odd)
    for path in (
        f"{CASH}?q=",
        f"{CASH}/hoc-sinh/{child}?so_tien=",
        f"{COUNTS}?to=",
        f"{CASH}?trang=",
        f"{DEPOSITS}?da=",
    ):
        for odd in ODD:
            assert calm(desk.get(path + quote(odd)).status_code), (path, odd)
    nothing_broken(world)


def test_another_schools_rows_are_not_there(world: World, people: People) -> None:
    people.takes(700_000)
    assert people.counts(1, 1) == 303
    send(people.cashier, f"{CASH}/quyen", f"{CASH}/quyen", ky_hieu="AB/25", tu_so="1", den_so="50")
    deposits(people, "NT 1")
    [row] = takings(world)
    send(people.cashier, f"{CASH}/lan/{row.id}", f"{CASH}/lan/{row.id}/dao", ly_do="Nhầm")
    ids: dict[str, UUID] = {}

    def look(session: Session) -> None:
        for table in (CashTaking, CashReversal, PaperBook, CashCount, CashDeposit):
            ids[table.__name__] = session.exec(select(col(table.id))).one()

    world.change(look)
    made: list[UUID] = []
    world.change(lambda session: made.append(make_billing_school(session, world.wiring.vault).id))
    cashier, approver = (world.signed_in(world.staff(role, school_id=made[0])) for role in ("cashier", "approver"))
    taken, book = ids["CashTaking"], ids["PaperBook"]
    for path in (f"/lan/{taken}", f"/lan/{taken}/bien-lai.pdf", f"/quyen/{book}", f"/hoc-sinh/{row.pupil_id}"):
        assert cashier.get(f"{CASH}{path}").status_code == 404, path
    token = form(cashier, f"{CASH}/quyen")
    for path in (f"/lan/{taken}/dao", f"/quyen/{book}/hong"):
        assert cashier.post(f"{CASH}{path}", data={**token, "ly_do": "x", "so": "7"}).status_code == 404, path
    token = form(approver, "/doi-mat-khau")
    for path in (
        f"/dao/{ids['CashReversal']}/duyet",
        f"/kiem-quy/{ids['CashCount']}/xac-nhan",
        f"/nop-ngan-hang/{ids['CashDeposit']}/rut-lai",
        f"/ban-giao/{ids['CashCount']}/nhan",
        f"/rut-tien/{ids['CashDeposit']}/rut-lai",
    ):
        assert approver.post(f"{CASH}{path}", data={**token, "ly_do": "x"}).status_code == 404, path


def deposits(people: People, slip: str, sum_: str = "700.000") -> dict[str, str]:
    """Let the cashier bring cash to the bank; return the fields that were sent."""
    page = reads(people.cashier, DEPOSITS)
    key, account = re.search(r'name="khoa" value="([^"]+)"', page), re.search(r'<option value="([0-9a-f-]+)"', page)
    assert key
    assert account
    fields = {"khoa": key[1], "tai_khoan": account[1], "so_tien": sum_, "so_giay": slip}
    send(people.cashier, DEPOSITS, DEPOSITS, **fields)
    return fields


def test_back_and_press_again_with_something_else(world: World, people: People) -> None:
    """The browser's Back shows the old form with its old key: the same again is one, anything else is refused."""
    people.takes(700_000)
    assert people.counts(1, 1) == 303
    desk = people.cashier
    fields = deposits(people, "NT 1", "400.000")
    token = form(desk, DEPOSITS)
    for changed in ({"so_tien": "300.000"}, {"so_giay": "NT 2"}):
        assert desk.post(DEPOSITS, data={**token, **fields, **changed}).status_code == 409
    assert desk.post(DEPOSITS, data={**token, **fields}).status_code == 303
    fetched = {"khoa": str(UUID(int=5)), "tai_khoan": "kho-bac", "so_tien": "50.000", "so_giay": "RT 1"}
    assert [desk.post(WITHDRAWALS, data={**token, **fetched}).status_code for _ in range(2)] == [303, 303]
    assert desk.post(WITHDRAWALS, data={**token, **fetched, "so_tien": "60.000"}).status_code == 409
    assert cash_of(world) == 350_000
    here = f"{CASH}/hoc-sinh/{world.billing.pupils[0].id}"
    sent = hidden(reads(desk, f"{here}?so_tien=1000"))
    assert [desk.post(here, data=sent).status_code for _ in range(2)] == [303, 303]
    assert desk.post(here, data={**sent, "nguoi_nop": "Người khác"}).status_code == 409
    assert cash_of(world) == 351_000
    nothing_broken(world)


def test_a_role_that_ended_before_the_form_was_sent(world: World, people: People) -> None:
    here = f"{CASH}/hoc-sinh/{world.billing.pupils[0].id}"
    sent = hidden(reads(people.cashier, f"{here}?so_tien=1000"))

    def ends(session: Session) -> None:
        [held] = session.exec(select(RoleGrant).where(RoleGrant.user_id == people.users["cashier"].id)).all()
        held.valid_to = world.clock().date() - timedelta(days=1)
        session.add(held)

    world.change(ends)
    assert people.cashier.post(here, data=sent).status_code in {403, 404}
    assert takings(world) == []


def test_broken_off_in_the_middle_nothing_is_taken_and_the_form_still_serves(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = f"{CASH}/hoc-sinh/{world.billing.pupils[0].id}"
    sent = hidden(reads(people.cashier, f"{here}?so_tien=1000"))

    def breaks(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(taking, "record_payment", breaks)
        assert people.cashier.post(here, data=sent).status_code == 500
    assert (takings(world), cash_of(world)) == ([], 0)
    assert people.cashier.post(here, data=sent).status_code == 303
    assert cash_of(world) == 1_000
    nothing_broken(world)
