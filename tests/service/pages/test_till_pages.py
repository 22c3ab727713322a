"""The pages of the till on real rows: count, agree, bring to the bank, tie to the bank's transfer, hand over."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import Session
from starlette.testclient import TestClient

from billing.money import Money
from billing.vault import Vault
from reconciliation.reports.filling import report_record
from service.access.tables import User
from service.database import Database
from service.pages import cash_rows, till_rows
from service.preparing import Addresses
from tests.billing.documents.pages import words
from tests.conftest import TestServers
from tests.factories.unbroken import violations
from tests.service.pages.test_cash_pages import CASH, cash_of, hidden, reads
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World, make_world
from tests.standing import standing

COUNTS, DEPOSITS, HANDOVERS = f"{CASH}/kiem-quy", f"{CASH}/nop-ngan-hang", f"{CASH}/ban-giao"


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers)


class People:
    """Who works on the till, each with a browser of her own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.users: dict[str, User] = {role: world.staff(role) for role in ("cashier", "accountant", "approver")}
        self.cashier, self.accountant, self.approver = (world.signed_in(user) for user in self.users.values())

    def takes(self, dong: int) -> None:
        here = f"{CASH}/hoc-sinh/{self.world.billing.pupils[0].id}"
        page = reads(self.cashier, f"{here}?so_tien={dong}")
        assert self.cashier.post(here, data=hidden(page)).status_code == 303

    def counts(self, *notes: int, **more: str) -> int:
        """Count so many notes, the largest first, and return the answer's status."""
        page = reads(self.cashier, f"{COUNTS}?{'&'.join(f'to={number}' for number in notes)}")
        fields = hidden(page)
        sent = {**fields, **more, "to": [str(number) for number in notes]}
        return self.cashier.post(COUNTS, data=sent).status_code


@pytest.fixture
def people(world: World) -> People:
    return People(world)


def nothing_broken(world: World) -> None:
    def ask(session: Session) -> None:
        assert violations(session, world.clock(), ("I1", "I3", "I6", "I13", "I14")) == []

    world.change(ask)


def test_counted_by_two_and_handed_over(world: World, people: People) -> None:
    people.takes(700_000)
    assert "Khớp sổ" in reads(people.cashier, f"{COUNTS}?to=1&to=1")
    assert people.counts(1, 0, 1) == 422, "a difference without a reason"
    assert people.counts(1, 0, 1, ly_do="Thối nhầm", so_sach="1") == 409
    assert people.counts(1, 0, 1, ly_do="Thối nhầm") == 303
    assert "chờ người thứ hai" in reads(people.cashier, COUNTS)
    [count] = re.findall(rf"{COUNTS}/([0-9a-f-]+)/xac-nhan", reads(people.accountant, COUNTS))
    assert people.cashier.post(f"{COUNTS}/{count}/xac-nhan", data=form(people.cashier, CASH)).status_code == 403
    send(people.accountant, COUNTS, f"{COUNTS}/{count}/xac-nhan")
    assert cash_of(world) == 600_000
    page = reads(people.cashier, HANDOVERS)
    assert "Lập biên bản bàn giao" in page
    key = re.search(r'name="khoa" value="([^"]+)"', page)
    assert key
    receiver = str(people.users["approver"].id)
    assert f'value="{receiver}"' in page
    wrong = form(people.cashier, HANDOVERS, nguoi_nhan=str(world.billing.id), khoa=key[1])
    assert people.cashier.post(HANDOVERS, data=wrong).status_code == 422
    accountant = str(people.users["accountant"].id)
    assert f'value="{accountant}"' not in page
    keeps_accounts = form(people.cashier, HANDOVERS, nguoi_nhan=accountant, khoa=key[1])
    assert people.cashier.post(HANDOVERS, data=keeps_accounts).status_code == 422
    send(people.cashier, HANDOVERS, HANDOVERS, nguoi_nhan=receiver, khoa=key[1], ghi_chu="Kèm chìa khóa két")
    [handover] = re.findall(rf"{HANDOVERS}/([0-9a-f-]+)/nhan", reads(people.approver, HANDOVERS))
    assert (
        people.accountant.post(f"{HANDOVERS}/{handover}/nhan", data=form(people.accountant, COUNTS)).status_code == 403
    )
    send(people.approver, HANDOVERS, f"{HANDOVERS}/{handover}/nhan")
    told = " ".join(words(people.cashier.get(f"{HANDOVERS}/{handover}/bien-ban.pdf").content))
    for said in ("BIÊN BẢN BÀN GIAO QUỸ TIỀN MẶT", "700.000", "Chênh lệch kiểm quỹ", "Kèm chìa khóa két", "Bên nhận",
                 "đã ký nhận", "Sáu trăm nghìn đồng"):  # fmt: skip
        assert said in told, said
    nothing_broken(world)


def test_a_deposit_is_the_banks_transfer_and_no_familys_payment(world: World, people: People) -> None:
    people.takes(700_000)
    assert "Kiểm quỹ trước" in reads(people.cashier, DEPOSITS)
    assert people.counts(1, 1) == 303
    page = reads(people.cashier, DEPOSITS)
    key = re.search(r'name="khoa" value="([^"]+)"', page)
    account = re.search(r'<option value="([0-9a-f-]+)"', page)
    assert key
    assert account
    fields = {"khoa": key[1], "tai_khoan": account[1], "so_tien": "700.000", "so_giay": "NT 000123"}
    too_much = form(people.cashier, DEPOSITS, **{**fields, "so_tien": "700.001"})
    assert people.cashier.post(DEPOSITS, data=too_much).status_code == 422
    send(people.cashier, DEPOSITS, DEPOSITS, **fields)
    send(people.cashier, DEPOSITS, DEPOSITS, **fields)
    assert cash_of(world) == 0
    world.collecting.hear_of(
        world.collecting.pays("NOP TIEN MAT NT000123 LE THI QUY", 700_000),
        world.collecting.pays(world.collecting.requests[1].reference + " nop", 700_000),
    )
    page = reads(people.accountant, DEPOSITS)
    assert page.count("Đúng, gắn với giao dịch này") == 1, "a family's money is not suggested"
    [deposit] = re.findall(rf"{DEPOSITS}/([0-9a-f-]+)/gan", page)
    [transfer] = re.findall(r'name="giao_dich" value="([0-9a-f-]+)"', page)
    send(people.accountant, DEPOSITS, f"{DEPOSITS}/{deposit}/gan", giao_dich=transfer)
    assert "ngân hàng đã nhận" in reads(people.cashier, DEPOSITS)
    nothing_broken(world)
    assert own_of(world, UUID(transfer)) == Money(700_000)
    back = form(people.approver, DEPOSITS, ly_do="Chưa nộp")
    assert people.approver.post(f"{DEPOSITS}/{deposit}/rut-lai", data=back).status_code == 409
    send(people.accountant, DEPOSITS, f"{DEPOSITS}/{deposit}/bo-gan", ly_do="Nhầm giao dịch")
    nothing_broken(world)
    assert own_of(world, UUID(transfer)) == Money(0)
    send(people.approver, DEPOSITS, f"{DEPOSITS}/{deposit}/rut-lai", ly_do="Chưa nộp")
    assert cash_of(world) == 700_000
    nothing_broken(world)


def own_of(world: World, transfer: UUID) -> Money:
    """Return what the report says is own money of a transfer, the ledger's and the rows' word being one."""
    found: list[Money] = []

    def read(session: Session) -> None:
        day = world.clock().date()
        report = report_record(session, world.billing.id, day.replace(day=1), day, world.clock())
        assert sum((each.own for each in report.accounts), Money(0)) == sum(
            (each.own for each in report.transfers), Money(0)
        )
        found.append(sum((each.own for each in report.transfers), Money(0)))

    del transfer
    world.change(read)
    return found[0]


def test_the_auditor_reads_and_does_nothing(world: World, people: People) -> None:
    people.takes(1_000)
    auditor: TestClient = world.signed_in(world.staff("auditor"))
    for path in (COUNTS, DEPOSITS, HANDOVERS):
        assert "<form" not in reads(auditor, path).partition("<main")[2]


def moves_along(people: People) -> str:
    """Let the cashier make a record for the approver, and return it."""
    people.takes(700_000)
    assert people.counts(1, 1) == 303
    page = reads(people.cashier, HANDOVERS)
    key = re.search(r'name="khoa" value="([^"]+)"', page)
    assert key
    receiver = str(people.users["approver"].id)
    send(people.cashier, HANDOVERS, HANDOVERS, nguoi_nhan=receiver, khoa=key[1])
    [handover] = re.findall(rf"{HANDOVERS}/([0-9a-f-]+)/nhan", reads(people.approver, HANDOVERS))
    return str(handover)


def test_an_approver_ends_what_nobody_signs_and_stands_in(world: World, people: People) -> None:
    handover = moves_along(people)
    head = world.signed_in(world.staff("approver"))
    assert "Quỹ do thủ quỹ giữ" in reads(head, COUNTS)
    assert 'name="to"' not in reads(head, COUNTS)
    refused = {**form(head, HANDOVERS, so_sach="700000", khoa=str(UUID(int=5))), "to": ["1", "1"]}
    assert head.post(COUNTS, data=refused).status_code == 403
    assert "Kết thúc lần bàn giao này" in reads(head, HANDOVERS)
    assert "Kết thúc lần bàn giao này" not in reads(people.cashier, HANDOVERS)

    def gone(session: Session) -> None:
        for role in ("cashier", "approver"):
            session.get_one(User, people.users[role].id).disabled_at = world.clock()

    world.change(gone)
    send(head, HANDOVERS, f"{HANDOVERS}/{handover}/tu-choi", ly_do="Hai người đã nghỉ việc")
    world.clock.now += timedelta(minutes=1)
    assert "Quỹ chưa được kiểm" in reads(head, HANDOVERS)
    people.cashier = head
    assert people.counts(1, 1) == 303
    page = reads(head, HANDOVERS)
    new = world.staff("cashier")
    key = re.search(r'name="khoa" value="([^"]+)"', page)
    assert key
    send(head, HANDOVERS, HANDOVERS, nguoi_nhan=str(new.id), khoa=key[1], ghi_chu="Thay người giữ quỹ đã nghỉ")
    browser = world.signed_in(new)
    [second] = re.findall(rf"{HANDOVERS}/([0-9a-f-]+)/nhan", reads(browser, HANDOVERS))
    send(browser, HANDOVERS, f"{HANDOVERS}/{second}/nhan")
    assert f"<strong>{new.full_name}</strong>" in reads(head, HANDOVERS)
    nothing_broken(world)


def test_lists_are_read_to_their_end(world: World, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cash_rows, "_SHOWN", 2)
    monkeypatch.setattr(till_rows, "PAGE", 2)
    for dong in (1_000, 2_000, 3_000):
        people.takes(dong)
        world.clock.now += timedelta(minutes=1)
        assert people.counts(*[0] * 8, dong // 1_000 * (dong // 1_000 + 1) // 2) == 303
    for path, first in ((CASH, Money(3_000)), (COUNTS, Money(6_000))):
        newest, oldest = reads(people.cashier, path), reads(people.cashier, f"{path}?trang=2")
        assert "Trang 1 trên 2" in newest
        rows = [page.partition("<tbody>")[2] for page in (newest, oldest)]
        assert [f">{first}<" in page for page in rows] == [True, False]
        assert [f">{Money(1_000)}<" in page for page in rows] == [False, True]
        assert "Trang 2 trên 2" in reads(people.cashier, f"{path}?trang=9"), "the last there is"
        assert people.cashier.get(f"{path}?trang=0").status_code == 422
