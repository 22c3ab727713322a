"""Tests of the pages of bank statements: brought, shown, explained, confirmed; what is shown is what is stored."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.vault import Vault
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.statements.tables import ExplainedLayout, StatementUpload
from reconciliation.tables import StatementFile
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.reconciliation.statements.workbooks import workbook
from tests.service.pages.worlds import World, make_world
from tests.standing import standing

HEADING = ["Thời điểm", "Thay đổi", "Ghi chú", "Còn lại"]


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers, told_by="statement")


@pytest.fixture
def client(world: World) -> TestClient:
    return world.signed_in(world.staff("accountant"))


def bring(client: TestClient, world: World, data: bytes, account: str = "") -> tuple[int, str]:
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/van-phong/sao-ke").text)
    assert token
    form = {"csrf": token[1], "cho": account or str(world.billing.account.id)}
    answer = client.post("/van-phong/sao-ke", data=form, files={"tep": ("sao ke.xlsx", data)})
    return answer.status_code, answer.headers.get("location", answer.text)


def confirm(client: TestClient, place: str) -> tuple[int, str]:
    """Press the button of a preview, with all that its form holds."""
    text = client.get(place).text
    form = re.search(r'<form class="stack" method="post" action="([^"]+)">(.*?)</form>', text, re.DOTALL)
    assert form, text
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form[2]):
        fields.setdefault(name, []).append(value)
    answer = client.post(form[1].replace("&amp;", "&"), data=fields)
    return answer.status_code, answer.headers.get("location", answer.text)


def written(world: World, first: date = date(2025, 10, 1), last: date = date(2025, 10, 31)) -> bytes:
    account = world.billing.account.number
    movements = world.collecting.bank.movements(account)
    head = StatementHead(account=account, owner="x", first_day=first, last_day=last, opening=Money(0))
    return statement(head, movements)


def count(world: World, table: type[StatementFile | ExplainedLayout]) -> int:
    with world.collecting.database.transaction(EVERYTHING) as session:
        return len(session.exec(select(table)).all())


def kept(world: World) -> list[bool]:
    with world.collecting.database.transaction(EVERYTHING) as session:
        rows = session.exec(select(StatementUpload).order_by("made_at", "id")).all()
        return [row.body_sealed is not None for row in rows]


def test_a_statement_is_shown_then_stored_as_shown_and_the_difference_is_nothing(
    world: World, client: TestClient
) -> None:
    request = world.collecting.requests[0]
    world.collecting.pays(request.reference, 500_000)
    status, place = bring(client, world, written(world))
    assert status == 303, place
    shown = client.get(place).text
    assert "500.000 đ" in shown
    assert request.reference in shown
    assert count(world, StatementFile) == 0

    status, after = confirm(client, place)
    assert (status, "moi=1&da_co=0" in after) == (303, True), after
    assert world.rung[-1] == "reconciliation.settle"
    world.collecting.reconcile()
    assert world.collecting.receipts() == [(1, 500_000)]
    text = client.get(after).text
    assert "1 giao dịch mới, 0 đã có" in text
    assert re.search(r"bằng sao kê</td><td[^>]*>06/10/2025</td><td[^>]*>0 đ</td>", text)
    assert kept(world) == [False]
    with world.collecting.database.transaction(EVERYTHING) as session:
        assert "statement.import" in {entry.action for entry in session.exec(select(AuditEntry)).all()}


def test_a_file_is_confirmed_once_and_an_overlapping_one_says_what_is_new(world: World, client: TestClient) -> None:
    world.collecting.pays("an", 70_000)
    _, place = bring(client, world, written(world))
    confirm(client, place)
    status, text = client.get(place).status_code, client.get(place).text
    assert (status, "đã nhập xong" in text) == (409, True)

    world.collecting.pays("be", 70_000)
    _, place = bring(client, world, written(world))
    assert re.search(r"Trong đó mới.*?<strong>1</strong>.*?Trong đó đã có.*?>1<", client.get(place).text, re.DOTALL)


def test_what_reads_otherwise_by_now_is_not_stored(world: World, client: TestClient) -> None:
    world.collecting.pays("an", 70_000)
    _, place = bring(client, world, written(world))
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(place).text)
    assert token
    target = place.replace("?", "/nhap?")
    answer = client.post(target, data={"csrf": token[1], "da_xem": "0" * 64})

    assert (answer.status_code, "Bản xem trước đã cũ" in answer.text) == (409, True)
    assert count(world, StatementFile) == 0


def test_a_file_that_cannot_be_read_lists_its_cells_and_is_not_kept(world: World, client: TestClient) -> None:
    number = world.billing.account.number
    heading = ["Ngày giao dịch", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]
    bad = workbook(["VPBank"], ["Số tài khoản", number], heading, ["06/10/2025", "an", "", "65O.000", "650.000"])
    status, text = bring(client, world, bad)

    assert (status, "ô D4 “65O.000”" in text, "Ghi có" in text) == (422, True, True)
    assert kept(world) == []
    assert bring(client, world, workbook(["VPBank"], ["Số tài khoản", "9988776655"], heading))[0] == 422
    assert bring(client, world, b"x", account="01a20b25-26ca-7ba5-b815-70ec4553a65b")[0] == 404


def test_a_text_that_is_no_table_is_not_asked_about_columns(world: World, client: TestClient) -> None:
    status, text = bring(client, world, b"xin chao")

    assert (status, "không phải sao kê" in text, "Sửa theo lời báo" in text) == (422, True, False)
    assert kept(world) == []


def test_a_file_that_does_not_show_the_account_needs_an_explicit_yes(world: World, client: TestClient) -> None:
    heading = ["Ngày giao dịch", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]
    data = workbook(["VPBank"], heading, ["06/10/2025", "an", "", "300.000", "300.000"])
    _, place = bring(client, world, data)
    text = client.get(place).text
    assert "Tệp không ghi số tài khoản nào." in text
    assert "Tệp theo mẫu của ngân hàng khác (vpbank)." in text

    token, seen = (re.search(rf'name="{name}" value="([0-9a-f]{{64}})"', text) for name in ("csrf", "da_xem"))
    assert token
    assert seen
    form = {"csrf": token[1], "da_xem": seen[1]}
    answer = client.post(place.replace("?", "/nhap?"), data=form)
    assert (answer.status_code, "không cho thấy là sao kê của tài khoản này" in answer.text) == (422, True)
    assert count(world, StatementFile) == 0

    assert client.post(place.replace("?", "/nhap?"), data=form | {"dung": "1"}).status_code == 303
    assert count(world, StatementFile) == 1


def unknown(memo: str, day: str = "06/10/2025") -> bytes:
    rows = [["Ví điện tử Của Trường"], HEADING, [day, "+300.000", memo, "300.000"], [day, "-11.000", "phi", "289.000"]]
    return workbook(*rows)


def test_an_unknown_layout_is_explained_once_and_then_read_by_itself(world: World, client: TestClient) -> None:
    request = world.collecting.requests[0]
    status, place = bring(client, world, unknown(request.reference))
    assert status == 303, place
    asked = client.get(place).text
    assert "Cột nào là gì?" in asked
    assert "Thay đổi" in asked
    wrong = client.get(f"{place}&dong=2&cot=day&cot=&cot=memo&cot=balance").text
    assert "hoặc một cột số tiền có dấu" in wrong

    told = f"{place}&dong=2&cot=day&cot=amount&cot=memo&cot=balance"
    assert "289.000 đ" in client.get(told).text
    assert count(world, ExplainedLayout) == 0
    assert confirm(client, told)[0] == 303
    assert count(world, ExplainedLayout) == 1
    world.collecting.reconcile()
    assert world.collecting.receipts() == [(1, 300_000)]

    _, place = bring(client, world, unknown("ngay hom sau", "07/10/2025"))
    assert "Xem trước sao kê" in client.get(place).text


def test_balances_that_a_file_does_not_tell_are_typed_and_have_to_agree(world: World, client: TestClient) -> None:
    number = world.billing.account.number
    heading = ["Ngày giao dịch", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có"]
    data = workbook(["VPBank"], ["Số tài khoản", number], heading, ["06/10/2025", "an", "", "300.000"])
    _, place = bring(client, world, data)
    assert "Tệp không ghi số dư" in client.get(place).text
    assert client.get(f"{place}&dau=0&cuoi=300.001").status_code == 422
    assert confirm(client, f"{place}&dau=0&cuoi=300.000")[0] == 303
    with world.collecting.database.transaction(EVERYTHING) as session:
        file = session.exec(select(StatementFile)).one()
        account = session.exec(select(BankAccount)).one()
    assert (file.closing, file.bank_account_id) == (Money(300_000), account.id)


def test_a_kept_file_is_forgotten_after_a_day(world: World, client: TestClient) -> None:
    world.collecting.pays("an", 70_000)
    _, place = bring(client, world, written(world))
    world.clock.now += timedelta(days=1, minutes=1)
    client = world.signed_in(world.staff("accountant"))
    world.collecting.pays("be", 70_000)
    bring(client, world, written(world))

    assert kept(world) == [False, True]
    assert client.get(place).status_code == 409


def test_another_schools_file_is_not_found(client: TestClient) -> None:
    assert client.get("/van-phong/sao-ke/01a20b25-26ca-7ba5-b815-70ec4553a65b").status_code == 404
