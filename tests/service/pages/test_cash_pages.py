"""The cashier's pages on real rows: look first, take once, print, reverse by two, enter paper receipts."""

from __future__ import annotations

import html
import re

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from billing.cash.tables import CashTaking, PaperBook
from billing.ledger.balances import debit_balance
from billing.money import Money
from billing.payments.tables import Receipt
from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.billing.documents.pages import words
from tests.conftest import TestServers
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World, make_world
from tests.standing import standing

CASH = "/van-phong/quy"


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers)


@pytest.fixture
def cashier(world: World) -> TestClient:
    return world.signed_in(world.staff("cashier"))


def reads(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return html.unescape(answer.text)


def hidden(page: str) -> dict[str, str]:
    """Return what the form that confirms takes along."""
    confirm = page[page.index('class="decide"') :]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', confirm))


def cash_of(world: World) -> int:
    found: list[Money] = []
    world.change(lambda session: found.append(debit_balance(session, world.billing.id, "111")))
    return found[0].dong


def takings(world: World) -> list[CashTaking]:
    found: list[CashTaking] = []
    world.change(lambda session: found.extend(session.exec(select(CashTaking)).all()))
    return found


def test_found_looked_at_taken_printed_and_reversed(world: World, cashier: TestClient) -> None:
    child = world.billing.pupils[0]
    name = child.pupil.full_name
    assert name in reads(cashier, f"{CASH}?q={name.split()[-1]}")
    assert "Không có em nào như vậy" in reads(cashier, f"{CASH}?q=Zzz")
    here = f"{CASH}/hoc-sinh/{child.id}"
    assert "Xem trước" in reads(cashier, here)
    [due] = world.collecting.rests()[:1]
    page = reads(cashier, f"{here}?so_tien={due + 50_000}")
    assert "Nộp thừa, giữ lại cho em" in page
    assert str(Money(50_000)) in page
    fields = {**hidden(page), "nguoi_nop": "Điểu Thị Lan"}
    first = cashier.post(here, data=fields)
    again = cashier.post(here, data=fields)
    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"], "two presses are one taking"
    assert cash_of(world) == due + 50_000
    [taking] = takings(world)
    lan = f"{CASH}/lan/{taking.id}"
    assert "In hai liên" in reads(cashier, lan)
    paper = cashier.get(f"{lan}/bien-lai.pdf")
    told = " ".join(words(paper.content))
    for said in ("Liên 1: lưu", "Liên 2: giao người nộp", "Điểu Thị Lan", "Ký, ghi rõ họ tên", "Tiền mặt"):
        assert said in told, said
    assert "Đề nghị đảo" in reads(cashier, lan)
    send(cashier, lan, f"{lan}/dao", ly_do="Ghi nhầm em")
    approver = world.signed_in(world.staff("approver"))
    [reversal] = re.findall(r"/van-phong/quy/dao/([0-9a-f-]+)/duyet", reads(approver, lan))
    assert cashier.post(f"{CASH}/dao/{reversal}/duyet", data=form(cashier, lan)).status_code == 403
    send(approver, lan, f"{CASH}/dao/{reversal}/duyet")
    assert cash_of(world) == 0
    assert "đã hủy" in reads(cashier, CASH)
    assert "HỦY" in " ".join(words(cashier.get(f"{lan}/bien-lai.pdf").content))


def test_a_transfer_of_the_child_is_shown_and_has_to_be_asked_about(world: World, cashier: TestClient) -> None:
    child = world.billing.pupils[1]
    request = world.collecting.requests[1]
    damaged = request.reference[:-1] + ("2" if request.reference[-1] != "2" else "3")
    world.collecting.hear_of(world.collecting.pays(damaged, 123_000))
    here = f"{CASH}/hoc-sinh/{child.id}"
    page = reads(cashier, f"{here}?so_tien=100000")
    assert "hệ thống gợi ý em này" in page
    assert str(Money(123_000)) in page
    fields = hidden(page)
    assert cashier.post(here, data=fields).status_code == 422
    world.collecting.hear_of(world.collecting.pays(request.reference, 10_000))
    moved = cashier.post(here, data={**fields, "da_xem": "1", "nguoi_nop": "Điểu Thị Lan"})
    assert moved.status_code == 409
    shown = html.unescape(moved.text)
    assert "đã thay đổi" in shown
    assert "đã ghi cho em này" in shown
    assert 'value="Điểu Thị Lan"' in shown, "nothing typed is lost"
    assert cashier.post(here, data={**hidden(shown), "da_xem": "1"}).status_code == 303
    [taking] = takings(world)
    assert len(taking.seen["transfers"]) == 2
    assert "2" in reads(cashier, f"{CASH}/lan/{taking.id}")


def test_a_paper_book_is_entered_with_its_gaps(world: World, cashier: TestClient) -> None:
    send(cashier, f"{CASH}/quyen", f"{CASH}/quyen", ky_hieu="AB/25", tu_so="0000101", den_so="0000150")
    books: list[PaperBook] = []
    world.change(lambda session: books.extend(session.exec(select(PaperBook)).all()))
    book = f"{CASH}/quyen/{books[0].id}"
    child = world.billing.pupils[2]
    assert f"quyen={books[0].id}" in reads(cashier, f"{book}?q={child.pupil.full_name}")
    here = f"{CASH}/hoc-sinh/{child.id}"
    page = reads(cashier, f"{here}?so_tien=100000&quyen={books[0].id}")
    day = world.clock().date().isoformat()
    fields = {**hidden(page), "so": "0000103", "ngay": day}
    for wrong in ("hai", "²", "١٠٣", "-103", "1_03", "99999999999"):
        assert cashier.post(here, data={**fields, "so": wrong}).status_code == 422, wrong
    assert cashier.post(here, data={**fields, "so": "151"}).status_code == 422
    assert cashier.post(here, data=fields).status_code == 303
    send(cashier, book, f"{book}/hong", so="101", ly_do="Viết hỏng")
    assert cashier.post(f"{book}/hong", data=form(cashier, book, so="103", ly_do="x")).status_code == 409
    assert "Còn thiếu số: 102" in reads(cashier, book)
    [taking] = takings(world)
    assert "không in lại" in reads(cashier, f"{CASH}/lan/{taking.id}")
    assert cashier.get(f"{CASH}/lan/{taking.id}/bien-lai.pdf").status_code == 422
    receipts: list[Receipt] = []
    world.change(lambda session: receipts.extend(session.exec(select(Receipt)).all()))
    assert receipts == []


def test_who_may(world: World, cashier: TestClient) -> None:
    child = world.billing.pupils[0]
    for role in ("accountant", "approver", "auditor"):
        client = world.signed_in(world.staff(role))
        assert client.get(CASH).status_code == 200
        assert client.get(f"{CASH}/hoc-sinh/{child.id}").status_code == 403
    for role in ("class_teacher",):
        assert world.signed_in(world.staff(role)).get(CASH).status_code == 403
    assert cashier.get(f"{CASH}/hoc-sinh/{world.billing.id}").status_code == 404
