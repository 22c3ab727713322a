"""The page of closing a month on real rows: the checklist, two people, late money after it, and opening again."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from billing.ledger.tables import JournalEntry
from billing.payments.tables import Payment
from billing.vault import Vault
from service.access.tables import User
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.collecting import PAID_AT
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World, make_world
from tests.standing import standing

CLOSING = "/van-phong/khoa-so"
NOVEMBER = datetime(2025, 11, 4, 2, 0, tzinfo=UTC)


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers)


class People:
    """The accountant and the approver, each with a browser of her own, in November."""

    def __init__(self, world: World) -> None:
        world.clock.now = NOVEMBER
        self.users: dict[str, User] = {role: world.staff(role) for role in ("accountant", "approver")}
        self.accountant, self.approver = (world.signed_in(user) for user in self.users.values())

    def page(self) -> str:
        """Return the page as the accountant sees it."""
        return html.unescape(self.accountant.get(CLOSING).text)

    def asks(self, **more: str) -> int:
        """Ask for the month that the page offers, and return the status."""
        fields = dict(re.findall(r'name="(thang|dau)" value="([^"]*)"', self.page()))
        return self.accountant.post(CLOSING, data=form(self.accountant, CLOSING, **{**fields, **more})).status_code

    def decides(self, how: str, **fields: str) -> int:
        """Decide as the approver about what waits, and return the status."""
        [ask] = re.findall(rf"{CLOSING}/([0-9a-f-]+)/tu-choi", self.approver.get(CLOSING).text)
        data = form(self.approver, CLOSING, **fields)
        return self.approver.post(f"{CLOSING}/{ask}/{how}", data=data).status_code


def test_closed_with_what_is_unfinished_and_late_money_after_it(world: World) -> None:
    collecting = world.collecting
    collecting.hear_of(collecting.pays("khong ro cua ai", 123_000))
    people = People(world)
    page = people.page()
    assert "10/2025" in page
    assert "Tiền vào còn chờ xử lý" in page
    assert "123.000" in page
    assert people.asks() == 422, "something is unfinished, and no word why"
    assert people.asks(ly_do="Chờ ngân hàng", dau="cũ") == 409
    for month in ("9999-12", "0001-01", "2025-13", "2025-11", "2025-09", ""):
        assert people.asks(ly_do="Chờ ngân hàng", thang=month) == 422, month
    assert people.asks(ly_do="Chờ ngân hàng") == 303
    assert people.asks(ly_do="Chờ ngân hàng", thang="2025-10", dau="") == 409
    assert people.decides("tu-choi") == 422, "a no needs a reason"
    assert people.decides("duyet") == 303
    assert "đã khóa" in people.page()
    late = collecting.pays(collecting.requests[0].reference, 50_000, at=PAID_AT + timedelta(days=2))
    collecting.hear_of(late)
    entries: list[JournalEntry] = []
    payments: list[Payment] = []
    world.change(lambda session: entries.extend(session.exec(select(JournalEntry)).all()))
    world.change(lambda session: payments.extend(session.exec(select(Payment)).all()))
    moved = [(each.value_date, each.true_day) for each in entries if each.true_day]
    assert moved == [(date(2025, 11, 1), date(2025, 10, 8))] * 2, "the transfer and its payment"
    assert [each.value_date for each in payments] == [date(2025, 10, 8)]
    assert "2 bút toán" in people.page()


def test_opened_again_by_two_with_a_reason(world: World) -> None:
    people = People(world)
    people.asks(ly_do="Chưa xong")
    people.decides("duyet")
    again = f"{CLOSING}/mo-lai"
    assert people.accountant.post(again, data=form(people.accountant, CLOSING, thang="2025-10")).status_code == 422
    send(people.accountant, CLOSING, again, thang="2025-10", ly_do="Ghi thiếu một lần thu")
    assert people.decides("duyet") == 303
    page = people.page()
    assert "đã mở lại" in page
    assert "Ghi thiếu một lần thu" in page
    assert "Đề nghị khóa sổ tháng" in page, "and is to be closed anew"


def test_what_was_typed_stands_there_still_beside_what_speaks_against_it(world: World) -> None:
    people = People(world)
    typed = form(people.accountant, CLOSING, thang="2025-10", dau="cũ", ly_do="Chờ 'ngân hàng' <b>")
    told = people.accountant.post(CLOSING, data=typed)
    assert told.status_code == 409
    page = html.unescape(told.text)
    assert "việc chưa xong của tháng đã khác" in page
    assert told.text.count("Chờ &#39;ngân hàng&#39; &lt;b&gt;") == 1
    assert 'name="dau" value="cũ"' not in page, "the list is read anew, and so is its mark"
    send(
        people.accountant,
        CLOSING,
        CLOSING,
        ly_do="Chờ",
        **dict(re.findall(r'name="(thang|dau)" value="([^"]*)"', page)),
    )
    assert people.decides("duyet") == 303
    again = form(people.accountant, CLOSING, thang="2025-09", ly_do="Ghi thiếu một lần thu")
    told = people.accountant.post(f"{CLOSING}/mo-lai", data=again)
    assert told.status_code == 422
    assert "khóa sổ sau cùng" in told.text
    assert 'value="Ghi thiếu một lần thu"' in told.text


def test_the_approver_sees_what_is_unfinished_now_beside_what_was_and_is_told_on_the_page(world: World) -> None:
    collecting = world.collecting
    collecting.hear_of(collecting.pays("khong ro cua ai", 123_000))
    people = People(world)
    assert people.asks(ly_do="Chờ ngân hàng") == 303
    collecting.hear_of(collecting.pays("cung khong ro", 45_000))
    page = html.unescape(people.approver.get(CLOSING).text)
    (row,) = re.findall(r"<tr><th[^>]*><a[^>]*>Tiền vào còn chờ xử lý.*?</tr>", page)
    assert re.findall(r"<span>(\d) · ([\d.]+) đ</span>", row.replace("\xa0", " ")) == [
        ("1", "123.000"),
        ("2", "168.000"),
    ]
    assert ("thêm" in row, "/duyet" in page) == (True, False)
    [ask] = re.findall(rf"{CLOSING}/([0-9a-f-]+)/tu-choi", page)
    told = people.approver.post(f"{CLOSING}/{ask}/duyet", data=form(people.approver, CLOSING))
    assert told.status_code == 409
    assert "Từ lúc đề nghị, tháng có thêm việc chưa xong" in told.text
    assert "Khóa sổ tháng" in told.text, "and the page itself, not the one of errors"
    assert people.decides("tu-choi", ly_do="Có thêm giao dịch") == 303
    assert people.asks(ly_do="Chờ ngân hàng") == 303
    assert people.decides("duyet") == 303
    assert "đã khóa" in people.page()


def test_who_may(world: World) -> None:
    people = People(world)
    assert people.approver.post(CLOSING, data=form(people.approver, CLOSING)).status_code == 403
    assert world.signed_in(world.staff("cashier")).get(CLOSING).status_code == 403
    auditor = world.signed_in(world.staff("auditor"))
    assert "<form" not in auditor.get(CLOSING).text.partition("<main")[2]
