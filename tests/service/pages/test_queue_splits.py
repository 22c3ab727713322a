"""Splitting money over many children, over HTTP on real rows: by class, pasted list and sheet; and undoing it."""

from __future__ import annotations

import html
import io
import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from sqlalchemy import text
from sqlmodel import Session, select
from starlette.testclient import TestClient

from billing.payments.tables import ReceiptVoid
from billing.people.names import search_key
from billing.people.tables import ClassGroup
from reconciliation.queue import assigning
from reconciliation.queue.assigning import agree
from service.database import EVERYTHING
from tests.factories.closing import shut
from tests.service.pages.queue_town import DUE, IN_CLASS, QueueTown
from tests.service.pages.test_fee_pages import token_of
from tests.service.pages.test_queue_pages import QUEUE, WHY, act_of, asked, field, form_of, paid, reads, sends
from tests.service.pages.test_queue_pages import town as town  # noqa: PLC0414  the fixture

WHOLE = IN_CLASS * DUE


def class_of(town: QueueTown, code: str = "1B") -> UUID:
    with town.collecting.database.transaction(town.collecting.scope) as session:
        return session.exec(select(ClassGroup.id).where(ClassGroup.code == code)).one()


def hands_in(client: TestClient, transfer: UUID, data: bytes) -> tuple[int, str]:
    files = {"tep": ("chia.xlsx", data)}
    answer = client.post(f"{QUEUE}/gd/{transfer}/xem", data={"csrf": token_of(client)}, files=files)
    return answer.status_code, html.unescape(answer.text)


def agreed(town: QueueTown, transfer: UUID) -> None:
    assert sends(town.browser(town.approver), f"/viec/{act_of(town, transfer)}/dong-y")[0] == 303


def stored(town: QueueTown, client: TestClient, transfer: UUID, page: str) -> None:
    """Ask for what a preview shows, and let another agree."""
    assert sends(client, f"/gd/{transfer}/ghi", **form_of(page, ly_do=WHY))[0] == 303
    agreed(town, transfer)


def test_a_class_of_35_gets_what_each_child_owes(town: QueueTown, monkeypatch: pytest.MonkeyPatch) -> None:
    patience: list[str] = []

    def patiently(session: Session, *told: Any) -> object:  # noqa: ANN401  handed on as it came
        patience.append(session.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one())
        return agree(session, *told)

    monkeypatch.setattr(assigning, "agree", patiently)
    (transfer,) = town.waits(("ung ho lop 1B", WHOLE))
    client = town.browser(town.accountant)
    page = reads(client, f"/gd/{transfer}/xem?lop={class_of(town)}")
    assert page.count('name="em"') == IN_CLASS
    assert "data-left>0 đ" in page
    assert town.state(transfer) == "waiting", "a preview stores nothing"
    stored(town, client, transfer, page)
    assert town.state(transfer) == "matched"
    assert patience == ["10min"], "else the database ends a split of a whole province while Python works"
    assert town.collecting.receipts() == [(number, DUE) for number in range(1, IN_CLASS + 1)]
    assert town.collecting.rests()[:IN_CLASS] == [0] * IN_CLASS


def test_equal_shares_keep_every_dong_and_too_much_is_said_live(town: QueueTown) -> None:
    (transfer,) = town.waits(("ung ho lop 1B", 1_000_000))
    client = town.browser(town.accountant)
    page = reads(client, f"/gd/{transfer}/xem?lop={class_of(town)}&deu=co")
    assert page.count('value="28572"') == 15
    assert page.count('value="28571"') == 20
    owed = reads(client, f"/gd/{transfer}/xem?lop={class_of(town)}")
    assert "data-left>-21.750.000 đ" in owed
    status, said = sends(client, f"/gd/{transfer}/ghi", **form_of(owed, ly_do=WHY))
    assert status == 422
    assert "thừa 21.750.000 đ" in said
    stored(town, client, transfer, page)


def test_a_pasted_list_tells_every_bad_line_and_is_kept_to_be_corrected(town: QueueTown) -> None:
    (transfer,) = town.waits(("co giao nop ho lop", WHOLE))
    client = town.browser(town.accountant)
    names = [town.child(number).pupil.full_name for number in range(IN_CLASS)]
    lines = [f"{search_key(name)}; 650.000" for name in names]
    bad = [*lines[:2], "Ai Khác; 650.000", lines[0], *lines[4:-1], f"{names[-1]}; mười"]
    status, said = sends(client, f"/gd/{transfer}/xem", danh_sach="\n".join(bad))
    assert status == 422
    for line, why in ((3, "Không có học sinh “Ai Khác”"), (4, "Em này đã có ở dòng 1"), (IN_CLASS, "thiếu học sinh")):
        assert why in said.split(f'<th scope="row">{line}</th>')[1].split("</tr>")[0]
    assert "Ai Khác; 650.000" in said.split("<textarea")[1], "nothing typed is lost"
    assert town.state(transfer) == "waiting"
    status, page = sends(client, f"/gd/{transfer}/xem", danh_sach="\n".join(lines))
    assert (status, page.count('name="em"')) == (200, IN_CLASS)
    stored(town, client, transfer, page)
    assert town.collecting.rests()[:IN_CLASS] == [0] * IN_CLASS


def test_a_sheet_is_handed_out_filled_in_and_read_with_its_bad_lines(town: QueueTown) -> None:
    (transfer,) = town.waits(("mạnh thường quân", WHOLE))
    client = town.browser(town.accountant)
    given = client.get(f"{QUEUE}/gd/{transfer}/bang.xlsx?lop={class_of(town)}")
    book = openpyxl.load_workbook(io.BytesIO(given.content))
    sheet = book.worksheets[0]
    heading = [str(cell.value) for cell in sheet[1]]
    column, name = heading.index("Số tiền") + 1, heading.index("Họ tên học sinh") + 1
    for line in range(2, IN_CLASS + 2):
        sheet.cell(line, column).value = DUE
    right = saved(book)
    sheet.cell(3, column).value = "mười"
    sheet.cell(5, name).value = "Ai Khác"
    status, said = hands_in(client, transfer, saved(book))
    assert status == 422
    assert "Số tiền" in said.split('<th scope="row">3</th>')[1].split("</tr>")[0]
    assert '<th scope="row">5</th>' in said
    status, page = hands_in(client, transfer, right)
    assert (status, page.count('name="em"')) == (200, IN_CLASS)
    assert "data-left>0 đ" in page
    stored(town, client, transfer, page)
    assert town.state(transfer) == "matched"


def saved(book: openpyxl.Workbook) -> bytes:
    into = io.BytesIO()
    book.save(into)
    return into.getvalue()


def test_undoing_is_asked_and_agreed_by_two_and_all_is_open_again(town: QueueTown) -> None:
    transfer = paid(town)
    accountant = town.browser(town.accountant)
    assert town.child(36).pupil.full_name in reads(accountant, "/da-ghi?tim=tran thuy duong")
    page = reads(accountant, f"/gd/{transfer}")
    status, said = sends(accountant, f"/gd/{transfer}/go", da_xem=field(page, "da_xem"), ly_do="")
    assert status == 422
    assert "Hãy ghi lý do gỡ" in said
    assert sends(accountant, f"/gd/{transfer}/go", da_xem=field(page, "da_xem"), ly_do="Nhầm em")[0] == 303
    assert town.state(transfer) == "matched", "nothing happens until another agrees"
    status, said = sends(accountant, f"/gd/{transfer}/go", da_xem=field(page, "da_xem"), ly_do="Nhầm em")
    assert status == 409
    agreed(town, transfer)
    assert town.state(transfer) == "waiting"
    assert town.collecting.rests()[36] == DUE
    assert town.collecting.books() == {"112": DUE, "3388S": -DUE, "131": 50 * DUE, "531": -50 * DUE}
    with town.collecting.database.transaction(town.collecting.scope) as session:
        assert len(session.exec(select(ReceiptVoid)).all()) == 1
    family = html.unescape(accountant.get(town.link(36)).text)
    assert "Chờ nộp" in family
    assert "Đã có biên lai" not in family
    past = reads(accountant, f"/gd/{transfer}")
    assert "Người thứ hai đồng ý" in past
    assert "data-accept" not in reads(accountant, ""), "from now on two decide about it"


def test_a_closed_month_is_not_undone_and_the_page_says_what_to_do(town: QueueTown) -> None:
    transfer = paid(town)
    with town.collecting.database.transaction(EVERYTHING) as session:
        shut(session, town.billing.id, date(2025, 10, 1), town.clock() + timedelta(days=40))
    client = town.browser(town.accountant)
    page = reads(client, f"/gd/{transfer}")
    status, said = sends(client, f"/gd/{transfer}/go", da_xem=field(page, "da_xem"), ly_do="Nhầm em")
    assert status == 422
    assert "Tháng 10/2025 đã khóa sổ" in said
    assert 'value="Nhầm em"' in said, "nothing typed is lost"


def test_an_act_is_refused_with_a_reason_or_withdrawn_by_its_maker(town: QueueTown) -> None:
    (transfer,) = town.waits(("ung ho lop 1B", WHOLE))
    client, approver = town.browser(town.accountant), town.browser(town.approver)
    page = reads(client, f"/gd/{transfer}/xem?lop={class_of(town)}")
    for who, reason, becomes in ((approver, "Chưa rõ của lớp nào", "Không đồng ý"), (client, "", "rút lại")):
        page = reads(client, f"/gd/{transfer}/xem?lop={class_of(town)}")
        assert sends(client, f"/gd/{transfer}/ghi", **form_of(page, ly_do=WHY))[0] == 303
        act = act_of(town, transfer)
        if who is approver:
            status, said = sends(who, f"/viec/{act}/khong")
            assert (status, "Hãy ghi lý do không đồng ý" in said) == (422, True)
        assert sends(who, f"/viec/{act}/khong", ly_do=reason)[0] == 303
        assert becomes in reads(client, f"/gd/{transfer}")
    assert town.state(transfer) == "waiting"


def test_marked_lines_are_given_to_one_pupil_the_oldest_first(town: QueueTown) -> None:
    transfers = town.waits(("ong noi gui", 400_000), ("ba noi gui", 300_000))
    client, child = town.browser(town.accountant), town.child(36)
    marked = "&".join(f"gd={each}" for each in transfers)
    assert "Hay tất cả là của một em?" in reads(client, f"/nhieu?{marked}")
    found = reads(client, f"/nhieu/mot?{marked}&tim=tran thuy duong")
    assert f"em={child.id}&" in found
    page = reads(client, f"/nhieu/mot?{marked}&em={child.id}")
    assert "Sẽ ghi 2 giao dịch, cộng 700.000 đ; 0 giao dịch để lại." in page
    assert "50.000 đ vào tiền tồn" in page
    form: dict[str, str | list[str]] = {
        name: re.findall(rf'name="{name}" value="([^"]*)"', page.split("data-form")[1]) for name in ("gd", "da_xem")
    }
    form |= {"em": str(child.id), "xem": field(page, "xem")}
    status, said = sends(client, "/nhieu/mot", **form)
    assert (status, "Hãy ghi vì sao" in said) == (422, True)
    status, where = sends(client, "/nhieu/mot", **form, ly_do="Ông bà nộp")
    assert (status, "xong=de-nghi" in where) == (303, True)
    status, said = sends(client, "/nhieu/mot", **form, ly_do="Ông bà nộp")
    assert status == 409
    assert f"Người làm: {town.accountant.full_name}" in said
    for transfer in transfers:
        agreed(town, transfer)
    assert [town.state(each) for each in transfers] == ["matched"] * 2
    assert town.collecting.rests()[36] == 0


def test_a_line_that_others_decide_about_is_refused_in_words(town: QueueTown) -> None:
    (transfer,) = town.waits(("ung ho", 5_000))
    asked(town, transfer, 36, town.other)
    client = town.browser(town.accountant)
    page = reads(client, f"/gd/{transfer}/xem?em={town.child(37).id}")
    assert "không còn chờ" in page, "the preview offers nothing to press"
    status, said = sends(client, f"/gd/{transfer}/ghi", **form_of(page, ly_do=WHY))
    assert status == 409
    assert "đang chờ người thứ hai" in said
