"""Refunds in bulk over the real web: tried, asked once, approved once, paid by one file or against signatures."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import UUID

import openpyxl
import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.choices.choosing import Chooser
from billing.credits.receiving import NewAccount, enter_account, read_account
from billing.credits.tables import RefundStep
from billing.errors import NotAllowed, Refused
from billing.people.tables import Contact, Guardianship
from tests.service.pages.test_claims import form, send
from tests.service.pages.test_leftovers import REFUNDS, bulk, pay_and_lower
from tests.service.pages.worlds import World

PAPER = ("ket-luan.pdf", b"%PDF-1.4 ket luan thanh tra", "application/pdf")


@pytest.fixture
def people(world: World) -> dict[str, TestClient]:
    def prepare(session: Session) -> None:
        for child in (0, 1):
            pay_and_lower(world, session, child, child + 1)

    world.change(prepare)
    return {role: world.signed_in(world.staff(role)) for role in ("accountant", "approver", "cashier")}


def enter(
    world: World, child: int, account: str = "0071000123456", of: int | None = None, who: UUID | None = None
) -> None:
    """Let the guardian of a child (or of another, ``of``; or ``who``) name an account for the child."""

    def act(session: Session) -> None:
        guardian = select(Guardianship.guardian_id).where(
            Guardianship.pupil_id == world.billing.pupils[child if of is None else of].id
        )
        own = col(Contact.guardian_id) == who if who else col(Contact.guardian_id).in_(guardian)
        contact = session.exec(select(Contact).where(own)).first()
        assert contact is not None
        pupil = world.billing.pupils[child].id
        chooser = Chooser(pupil, (contact.guardian_id,), contact.kind, contact.blind, b"s" * 32)
        new = NewAccount("970436", account, "Nguyễn Văn Hòa")
        vault = world.wiring.vault
        enter_account(session, vault, world.billing.id, chooser, new, world.billing.accountant, world.clock())

    world.change(act)


def test_one_approval_one_file_and_the_same_bytes_again(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver = people["accountant"], people["approver"]
    page = f"{REFUNDS}/hang-loat?khoan=TIENAN&cach=bank"
    assert "Không có khoản nào để hoàn" in accountant.get(page).text
    enter(world, 0)
    with pytest.raises(NotAllowed):
        enter(world, 1, of=0)
    tried = accountant.get(page).text
    assert "phụ huynh chưa nhập tài khoản nhận tiền" in tried
    assert "32.000 đ" in tried
    here = bulk(accountant, khoan="TIENAN", cach="bank", ly_do="Hạ mức thu")
    assert accountant.post(f"{here}/lenh-chuyen", data=form(accountant, here, ngay="2025-10-06")).status_code == 422
    send(approver, here, f"{here}/duyet")
    send(accountant, here, f"{here}/lenh-chuyen", ngay=f"{world.clock().date()}")
    shown = accountant.get(here).text
    files = re.findall(rf'href="({here}/lenh-chuyen/[0-9a-f-]+\.(?:csv|xlsx))', shown)
    assert len(files) == 2
    first, again = (accountant.get(files[1]).content for _ in range(2))
    assert first == again
    (_, row) = csv.reader(io.StringIO(first.decode("utf-8-sig"), newline=""))
    assert row[1:6] == ["Vietcombank", "970436", "0071000123456", "NGUYEN VAN HOA", "32000"]
    assert row[6].split()[0] in shown
    sheet = openpyxl.load_workbook(io.BytesIO(accountant.get(files[0]).content)).active
    assert sheet is not None
    assert sheet["D2"].value == "0071000123456"
    assert accountant.post(f"{here}/lenh-chuyen", data=form(accountant, here, ngay="2025-10-06")).status_code == 422
    assert people["cashier"].get(files[1]).status_code == 403

    def logged(session: Session) -> None:
        actions = session.exec(select(AuditEntry.action).where(col(AuditEntry.action).startswith("refund.batch"))).all()
        assert sorted(actions) == ["refund.batch.make", *["refund.batch.open"] * 3]

    world.change(logged)


def test_an_inspection_decides_and_families_sign(people: dict[str, TestClient]) -> None:
    accountant, approver, cashier = people["accountant"], people["approver"], people["cashier"]
    page = f"{REFUNDS}/hang-loat?khoan=TIENAN"
    seen = re.search(r'name="da_xem" value="([^"]+)"', accountant.get(page).text)
    assert seen
    fields = {
        "khoan": "TIENAN", "cach": "cash", "da_xem": seen[1], "ly_do": "Kết luận thanh tra",
        "so_quyet_dinh": "12/KL-TTr", "ngay_quyet_dinh": "2025-09-30",
    }  # fmt: skip
    ask = f"{REFUNDS}/hang-loat"
    assert accountant.post(ask, data=form(accountant, page, **fields)).status_code == 422, "the paper is missing"
    stale = form(accountant, page, **{**fields, "da_xem": "9:9"})
    assert accountant.post(ask, data=stale, files={"tep": PAPER}).status_code == 409
    answer = accountant.post(ask, data=form(accountant, page, **fields), files={"tep": PAPER})
    here = answer.headers["location"].split("?")[0]
    assert "số 12/KL-TTr ngày 30/09/2025" in approver.get(here).text
    assert approver.get(f"{here}/quyet-dinh").content == PAPER[1]
    send(approver, here, f"{here}/duyet")
    paper = cashier.get(f"{here}/ky-nhan.pdf")
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")


def day_of(world: World) -> str:
    return f"{world.clock().date()}"


def ordered(world: World, people: dict[str, TestClient]) -> str:
    """Return the page of an approved refund by bank, whose file is made."""
    enter(world, 0)
    here = bulk(people["accountant"], khoan="TIENAN", cach="bank", ly_do="Hạ mức thu")
    send(people["approver"], here, f"{here}/duyet")
    send(people["accountant"], here, f"{here}/lenh-chuyen", ngay=day_of(world))
    return here


def files_of(client: TestClient, here: str) -> list[str]:
    return re.findall(rf'href="({here}/lenh-chuyen/[0-9a-f-]+\.csv)', client.get(here).text)


def test_what_was_seen_is_what_is_asked(world: World, people: dict[str, TestClient]) -> None:
    """Another child, or another account, with the very same count and sum."""
    accountant = people["accountant"]
    page = f"{REFUNDS}/hang-loat?khoan=TIENAN&cach=bank"
    enter(world, 0)

    def seen() -> str:
        found = re.search(r'name="da_xem" value="([^"]+)"', accountant.get(page).text)
        assert found
        return found[1]

    def post(seen: str) -> int:
        fields = {"khoan": "TIENAN", "cach": "bank", "da_xem": seen, "ly_do": "Hạ mức thu"}
        return accountant.post(f"{REFUNDS}/hang-loat", data=form(accountant, page, **fields)).status_code

    before = seen()
    enter(world, 0, account="9990000000001")
    assert before != seen()
    assert post(before) == 409
    assert post(seen()) == 303


def test_the_account_of_who_answers_for_the_child_no_more_is_nobodys(
    world: World, people: dict[str, TestClient]
) -> None:
    accountant, approver = people["accountant"], people["approver"]
    enter(world, 0)
    here = bulk(accountant, khoan="TIENAN", cach="bank", ly_do="Hạ mức thu")

    def end(session: Session) -> None:
        for row in session.exec(select(Guardianship).where(col(Guardianship.pupil_id) == pupil)).all():
            row.valid_to = world.clock().date() - timedelta(days=1)
            session.add(row)

    pupil = world.billing.pupils[0].id
    world.change(end)
    answer = approver.post(f"{here}/duyet", data=form(approver, here))
    assert answer.status_code == 409
    assert "không còn là phụ huynh" in answer.text
    send(accountant, here, f"{here}/tu-choi", ly_do="Đổi phụ huynh")
    assert "Không có khoản nào để hoàn" in accountant.get(f"{REFUNDS}/hang-loat?khoan=TIENAN&cach=bank").text
    assert "…3456" not in accountant.get(f"/van-phong/tien-ton/hoc-sinh/{pupil}").text


def test_a_replaced_account_is_not_ordered_either(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver = people["accountant"], people["approver"]
    enter(world, 0)
    here = bulk(accountant, khoan="TIENAN", cach="bank", ly_do="Hạ mức thu")
    send(approver, here, f"{here}/duyet")
    enter(world, 0, account="9990000000001")
    answer = accountant.post(f"{here}/lenh-chuyen", data=form(accountant, here, ngay=day_of(world)))
    assert (answer.status_code, "phụ huynh đã đổi" in answer.text) == (409, True)
    assert files_of(accountant, here) == []


def test_a_replaced_account_is_not_approved(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver = people["accountant"], people["approver"]
    enter(world, 0)
    here = bulk(accountant, khoan="TIENAN", cach="bank", ly_do="Hạ mức thu")
    enter(world, 0, account="9990000000001")
    answer = approver.post(f"{here}/duyet", data=form(approver, here))
    assert (answer.status_code, "phụ huynh đã đổi" in answer.text) == (409, True)


def test_a_file_whose_line_moved_on_is_handed_out_no_more(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver = people["accountant"], people["approver"]
    here = ordered(world, people)
    (old,) = files_of(accountant, here)
    code = accountant.get(old).content.decode("utf-8-sig").split('"HT')[1][:9]
    undo = re.search(rf'action="({here}/dong/[0-9a-f-]+/huy-chi)', accountant.get(here).text)
    assert undo
    alone = accountant.post(undo[1], data=form(accountant, here, ly_do="nhầm"))
    assert (alone.status_code, "Khoản này nằm trong tệp" in alone.text) == (403, True)
    send(approver, here, undo[1], ly_do="Ngân hàng chưa nhận tệp")
    answer = accountant.get(old)
    assert (answer.status_code, f"HT{code}" in answer.text) == (409, True)
    assert "Không dùng nữa: 1 khoản" in accountant.get(here).text
    send(accountant, here, f"{here}/lenh-chuyen", ngay=day_of(world))
    (new,) = files_of(accountant, here)
    assert (new != old, accountant.get(new).status_code, accountant.get(old).status_code) == (True, 200, 409)


def test_the_database_lets_nobody_undo_a_filed_line_alone(world: World, people: dict[str, TestClient]) -> None:
    ordered(world, people)

    def undo(session: Session) -> None:
        sent = session.exec(select(RefundStep)).one()
        step = RefundStep(
            school_id=sent.school_id, line_id=sent.line_id, turn=2, kind="undone", reason="x", day=sent.day,
            made_by=sent.made_by, at=sent.at,
        )  # fmt: skip
        session.add(step)
        session.flush()

    with pytest.raises(IntegrityError, match="undone by somebody else"):
        world.change(undo)


def test_a_day_that_is_none_is_refused_in_words(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver = people["accountant"], people["approver"]
    enter(world, 0)
    here = bulk(accountant, khoan="TIENAN", cach="bank", ly_do="Hạ mức thu")
    send(approver, here, f"{here}/duyet")
    for typed, words in (("", "Hãy chọn ngày lệnh chuyển"), ("mai", "“mai” không phải ngày")):
        answer = accountant.post(f"{here}/lenh-chuyen", data=form(accountant, here, ngay=typed))
        assert (answer.status_code, words in answer.text) == (422, True)


def test_only_banks_of_the_list_and_names_that_a_bank_prints() -> None:
    for bank_bin, holder, words in (("000000", "Nguyễn Văn Hòa", "danh sách"), ("970436", "Мария", "bằng chữ Việt")):
        with pytest.raises(Refused, match=words):
            read_account(bank_bin, "0071000123456", holder)
