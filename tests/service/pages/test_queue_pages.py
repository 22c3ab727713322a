"""The people's queue over HTTP on real rows: one line at a time, by one or by two, with who was faster in words."""

from __future__ import annotations

import html
import re
from uuid import UUID

import pytest
from sqlmodel import Session, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.people.declaring import Named, declare_child
from billing.people.tables import PupilCode
from billing.vault import Vault
from reconciliation.queue.standing import open_acts
from service.access.tables import User
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.collecting import bill_and_ask
from tests.service.pages.queue_town import DUE, QueueTown, make_queue_town
from tests.service.pages.test_fee_pages import token_of
from tests.standing import standing

QUEUE = "/van-phong/cho-xu-ly"
WHY = "Phụ huynh gọi điện báo"


@pytest.fixture
@standing
def town(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> QueueTown:
    return make_queue_town(database, addresses, vault, servers)


def reads(client: TestClient, path: str, status: int = 200) -> str:
    """Return what a page of the queue says."""
    answer = client.get(QUEUE + path)
    assert answer.status_code == status, (path, answer.status_code)
    return html.unescape(answer.text)


def sends(client: TestClient, path: str, **fields: str | list[str]) -> tuple[int, str]:
    """Send a form of the queue; return the status and what is said, or where it leads."""
    answer = client.post(QUEUE + path, data={"csrf": token_of(client), **fields})
    return answer.status_code, answer.headers.get("location") or html.unescape(answer.text)


def field(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def form_of(page: str, **typed: str | list[str]) -> dict[str, str | list[str]]:
    """Return the form of a preview as a browser sends it, with what was typed over it."""
    lines: dict[str, str | list[str]] = {
        "em": re.findall(r'name="em" value="([^"]*)"', page),
        "tien": re.findall(r'name="tien"[^>]* value="([^"]*)"', page),
    }
    lines["vao"] = [""] * len(lines["em"])
    return lines | {"da_xem": field(page, "da_xem"), "xem": field(page, "xem")} | typed


def asked(town: QueueTown, transfer: UUID, child: int, who: User | None = None) -> None:
    """Let an accountant ask for a transfer to be booked for a child."""
    client = town.browser(who or town.accountant)
    page = reads(client, f"/gd/{transfer}/xem?em={town.child(child).id}")
    status, where = sends(client, f"/gd/{transfer}/ghi", **form_of(page, ly_do=WHY))
    assert (status, "xong=de-nghi" in where) == (303, True), where


def act_of(town: QueueTown, transfer: UUID) -> UUID:
    with town.collecting.database.transaction(town.collecting.scope) as session:
        (act,) = [each for each in open_acts(session, town.billing.id) if each.transfer_id == transfer]
        return act.id


def paid(town: QueueTown, child: int = 36) -> UUID:
    """Let an accountant take a plain line."""
    (transfer,) = town.waits((f"CT {town.damaged(child)} x", DUE))
    client = town.browser(town.accountant)
    page = reads(client, f"/gd/{transfer}/xem?em={town.child(child).id}")
    status, where = sends(client, f"/gd/{transfer}/ghi", **form_of(page))
    assert (status, "xong=ghi" in where) == (303, True), where
    return transfer


def test_the_list_says_why_each_waits_whose_it_may_be_and_by_how_much_it_differs(town: QueueTown) -> None:
    _, two, _ = town.waits(
        (f"CT {town.damaged(36)} x", DUE), ("pham hoang yen va le hoang yen", 600_000), ("ung ho", 5_000)
    )
    client = town.browser(town.accountant)
    page = reads(client, "")
    assert "3 giao dịch" in page
    assert "1.255.000 đ" in page
    plain, equal, nobody = re.findall(r"<article.*?</article>", page, re.DOTALL)
    assert "Chênh lệch: " in plain
    assert plain.index("Chênh lệch") < plain.index(town.child(36).pupil.full_name), "the difference on top"
    assert "Mã gần giống" in plain
    assert plain.count("data-accept") == 1
    assert equal.count("Ngang nhau") == 2
    assert equal.count("-50.000 đ") == 2
    assert "data-accept" not in equal, "equal candidates are never chosen beforehand"
    assert "checked" not in page
    opened = reads(client, f"/gd/{two}")
    assert opened.count("data-row") == 2
    assert "data-queue" not in opened, "nor has one of them the focus"
    assert "Không có mã nộp" in nobody
    assert "Chưa thấy thông báo nào" in nobody


def test_a_line_with_one_candidate_and_its_sum_is_taken_in_one_press(town: QueueTown) -> None:
    (transfer,) = town.waits((f"CT {town.damaged(36)} x", DUE))
    client = town.browser(town.accountant)
    page = reads(client, "")
    form = {name: field(page, name) for name in ("da_xem", "em", "tien", "vao")}
    status, where = sends(client, f"/gd/{transfer}/ghi", **form)
    assert (status, "xong=ghi" in where) == (303, True)
    assert town.state(transfer) == "matched"
    assert town.collecting.receipts() == [(1, DUE)]
    assert "Đã có biên lai" in html.unescape(client.get(town.link(36)).text)
    assert {"notifications.plan", "ledger.seal"} <= set(town.rung)


def test_another_sum_needs_a_reason_and_another_person(town: QueueTown) -> None:
    (transfer,) = town.waits(("hoang yen dong tien", 600_000))
    accountant, approver = town.browser(town.accountant), town.browser(town.approver)
    page = reads(accountant, f"/gd/{transfer}/xem?em={town.child(12).id}")
    assert "Cần người thứ hai đồng ý" in page
    status, said = sends(accountant, f"/gd/{transfer}/ghi", **form_of(page))
    assert status == 422
    assert "Hãy ghi vì sao" in said
    assert town.child(12).pupil.full_name in said
    status, where = sends(accountant, f"/gd/{transfer}/ghi", **form_of(page, ly_do=WHY))
    assert (status, "xong=de-nghi" in where) == (303, True)
    assert town.state(transfer) == "waiting"
    assert "Chờ người thứ hai" in reads(accountant, "")
    act = act_of(town, transfer)
    assert WHY in reads(approver, "/viec")
    assert sends(approver, f"/viec/{act}/dong-y")[0] == 303
    assert town.state(transfer) == "matched"
    assert town.collecting.receipts() == [(1, 600_000)]


def test_nobody_agrees_to_an_act_of_ones_own(town: QueueTown) -> None:
    (transfer,) = town.waits(("hoang yen dong tien", 600_000))
    asked(town, transfer, 12)
    client = town.browser(town.accountant)
    assert "dong-y" not in reads(client, "/viec")
    assert sends(client, f"/viec/{act_of(town, transfer)}/dong-y")[0] == 403
    assert town.state(transfer) == "waiting"


def test_who_comes_second_reads_who_was_faster_and_when_and_loses_no_typing(town: QueueTown) -> None:
    (transfer,) = town.waits(("hoang yen dong tien", 600_000))
    late = town.browser(town.other)
    page = reads(late, f"/gd/{transfer}/xem?em={town.child(13).id}")
    asked(town, transfer, 12)
    status, said = sends(late, f"/gd/{transfer}/ghi", **form_of(page, tien=["600000"], ly_do="Tôi đã gọi cho mẹ em"))
    assert status == 409
    assert f"Người làm: {town.accountant.full_name}, lúc 08:00 06/10/2025" in said
    assert "không còn chờ" in said
    assert town.child(13).pupil.full_name in said
    assert 'value="600000"' in said


def test_of_two_who_agree_the_second_reads_who_did(town: QueueTown) -> None:
    (transfer,) = town.waits(("hoang yen dong tien", 600_000))
    asked(town, transfer, 12)
    act, approver = act_of(town, transfer), town.browser(town.approver)
    assert sends(approver, f"/viec/{act}/dong-y")[0] == 303
    status, said = sends(approver, f"/viec/{act}/dong-y")
    assert status == 409
    assert f"Người làm: {town.approver.full_name}" in said
    assert "Chờ người thứ hai" in said, "on the list itself"


def test_what_was_edited_after_the_preview_is_shown_again_before_it_is_stored(town: QueueTown) -> None:
    (transfer,) = town.waits((f"CT {town.damaged(36)} x", 2 * DUE))
    client = town.browser(town.accountant)
    page = reads(client, f"/gd/{transfer}/xem?em={town.child(36).id}")
    ids = [str(town.child(number).id) for number in (36, 37)]
    edited: dict[str, str | list[str]] = {"em": ids, "tien": ["650.000", "650 000"], "vao": ["", "ton"], "ly_do": WHY}
    status, said = sends(client, f"/gd/{transfer}/ghi", **(form_of(page) | edited))
    assert status == 422
    assert "khác với lúc xem trước" in said
    assert "650.000 đ vào tiền tồn" in said
    assert town.state(transfer) == "waiting"
    again = form_of(said, ly_do=WHY, vao=["", "ton"])
    assert sends(client, f"/gd/{transfer}/ghi", **again)[0] == 303


def test_a_second_pupil_is_looked_for_and_added_to_a_split(town: QueueTown) -> None:
    (transfer,) = town.waits((f"CT {town.damaged(36)} x", 2 * DUE))
    client = town.browser(town.accountant)
    page = reads(client, f"/gd/{transfer}/xem?em={town.child(36).id}")
    lines = form_of(page, tien=[str(DUE)])
    status, said = sends(client, f"/gd/{transfer}/ghi", **lines, tim_them="diep", ly_do=WHY)
    assert (status, "Không có em nào khớp" in said) == (200, True), "Enter in the field for one more stores nothing"
    status, said = sends(client, f"/gd/{transfer}/xem", **lines, tim_them="le thuy duong")
    assert f'name="them" value="{town.child(37).id}"' in said
    status, said = sends(client, f"/gd/{transfer}/xem", **lines, them=str(town.child(37).id))
    assert said.count('name="em"') == 2
    assert "data-left>0 đ" in said
    assert sends(client, f"/gd/{transfer}/ghi", **form_of(said, ly_do=WHY))[0] == 303


def test_a_sum_that_cannot_be_read_is_told_beside_it_and_the_others_stay(town: QueueTown) -> None:
    (transfer,) = town.waits(("hai em", 2 * DUE))
    client = town.browser(town.accountant)
    ids = [str(town.child(number).id) for number in (36, 37)]
    typed: dict[str, str | list[str]] = {"em": ids, "tien": ["mười", "650.000"], "vao": ["", ""], "ly_do": WHY}
    status, said = sends(client, f"/gd/{transfer}/ghi", **typed, da_xem="1.")
    assert status == 422
    assert 'value="mười"' in said
    assert "“mười” không phải số tiền" in said
    assert 'value="650000"' in said
    assert WHY in said


def test_own_family_is_refused_in_words_and_recorded(town: QueueTown) -> None:
    (transfer,) = town.waits((f"CT {town.damaged(36)} x", DUE))
    user = town.accountant

    def declare(session: Session) -> None:
        child = town.child(36)
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == child.id)).one()
        actor = town.billing.accountant
        declare_child(
            session,
            actor,
            town.billing.id,
            user.id,
            Named(code, child.pupil.full_name),
            town.clock(),
        )

    town.change(declare)
    client = town.browser(user)
    page = reads(client, f"/gd/{transfer}/xem?em={town.child(36).id}")
    status, said = sends(client, f"/gd/{transfer}/ghi", **form_of(page, ly_do=WHY))
    assert status == 403
    assert "đồng nghiệp" in said
    assert town.state(transfer) == "waiting"
    with town.collecting.database.transaction(town.collecting.scope) as session:
        noted = session.exec(select(AuditEntry).where(AuditEntry.action == "own_family.refuse")).one()
    assert noted.actor_id == user.id


def test_a_comment_stands_in_the_history_and_retry_books_what_is_certain_now(town: QueueTown) -> None:
    (transfer,) = town.waits(("ung ho", 5_000))
    client = town.browser(town.accountant)
    assert sends(client, f"/gd/{transfer}/ghi-chu", loi="Đã gọi, chờ phụ huynh trả lời")[0] == 303
    page = reads(client, f"/gd/{transfer}")
    assert "Đã gọi, chờ phụ huynh trả lời" in page
    assert "1 ghi chú" in reads(client, "")
    _, where = sends(client, f"/gd/{transfer}/thu-lai", da_xem=field(page, "da_xem"))
    assert "xong=thu-lai" in where
    assert "xong=thu-lai-ghi" not in where
    assert town.state(transfer) == "waiting"
    status, said = sends(town.browser(town.other), f"/gd/{transfer}/thu-lai", da_xem="0.")
    assert status == 409
    assert "vừa được người khác xử lý" in said


def confirmation(page: str) -> dict[str, str | list[str]]:
    """Return the form that confirms a dry run; another one on the page names one pupil for all."""
    mine = page.split("/nhieu/mot", maxsplit=1)[0]
    found: dict[str, str | list[str]] = {
        name: re.findall(rf'name="{name}" value="([^"]*)"', mine) for name in ("gd", "da_xem")
    }
    return found | {"xem": field(mine, "xem")}


def test_several_are_taken_by_a_dry_run_and_one_confirmation(town: QueueTown) -> None:
    memos = [(f"CT {town.damaged(number)} x", DUE) for number in (36, 37, 38)]
    transfers = town.waits(*memos, ("ung ho", 5_000))
    client = town.browser(town.accountant)
    assert "Ghi một lần 3 dòng" in reads(client, "")
    named = "&".join(f"gd={each}" for each in transfers)
    page = reads(client, f"/nhieu?{named}")
    assert "Sẽ ghi 3 giao dịch, cộng 1.950.000 đ; 1 giao dịch để lại." in page
    assert "Không có đúng một em được gợi ý" in page
    assert f"/van-phong/cho-xu-ly/gd/{transfers[3]}?" in page, "the one left is opened from here"
    form = confirmation(page)
    asked(town, transfers[0], 30, town.other)
    status, said = sends(client, "/nhieu", **form)
    assert status == 409
    assert f"Người làm: {town.other.full_name}" in said
    assert "Sẽ ghi 2 giao dịch" in said, "the dry run as it is now"
    assert [town.state(each) for each in transfers] == ["waiting"] * 4
    assert sends(client, "/nhieu", **confirmation(said))[0] == 303
    assert [town.state(each) for each in transfers] == ["waiting", "matched", "matched", "waiting"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("le thuy duong", [37]),
        ("LÊ Thuỳ Dương".replace("uỳ", "ùy"), [37]),
        ("dieu bao", [9]),
        ("Điểu Bảo", [9]),
        ("bao 1b", [5, 6, 7, 8, 9]),
    ],
)
def test_pupils_are_found_as_typed_without_script(town: QueueTown, words: str, found: list[int]) -> None:
    (transfer,) = town.waits(("ung ho", 5_000))
    client = town.browser(town.accountant)
    for path in (f"/gd/{transfer}", f"/gd/{transfer}/tim"):
        answer = client.get(QUEUE + path, params={"tim": words})
        page = html.unescape(answer.text)
        hits = set(re.findall(r"xem\?em=([0-9a-f-]{36})", page))
        assert hits == {str(town.child(number).id) for number in found}


def test_a_sum_finds_who_owes_it_and_a_code_its_pupil(town: QueueTown) -> None:
    (transfer,) = town.waits(("ung ho", 5_000))

    with town.collecting.database.transaction(town.collecting.scope) as session:
        bill_and_ask(session, town.child(3), town.collecting.account, 123_000, "2025-11")
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == town.child(4).id)).one()
    client = town.browser(town.accountant)
    by_sum = html.unescape(client.get(f"{QUEUE}/gd/{transfer}?tim=123.000").text)
    assert re.findall(r"xem\?em=([0-9a-f-]{36})", by_sum) == [str(town.child(3).id)]
    assert "Số tiền đang còn" in by_sum
    by_phone = html.unescape(client.get(f"{QUEUE}/gd/{transfer}?tim=017").text)
    assert "Số điện thoại phụ huynh" in by_phone.split(str(town.child(0).id))[0].split("data-row")[-1]
    by_code = html.unescape(client.get(f"{QUEUE}/gd/{transfer}?tim={code}").text)
    assert re.findall(r"xem\?em=([0-9a-f-]{36})", by_code) == [str(town.child(4).id)]
