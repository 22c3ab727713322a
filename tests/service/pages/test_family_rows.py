"""Tests of the family's page on real rows."""

from __future__ import annotations

import io
from datetime import timedelta

import numpy as np
import pypdfium2  # type: ignore[import-untyped]  # ships no types
import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import event
from sqlmodel import select

from billing.documents.vietqr import decode
from billing.money import Money
from billing.payments.balances import request_balances, rest_of
from billing.vault import Vault
from reconciliation.tables import Feed
from service.access import links
from service.database import Database
from service.jobs import reconciling
from service.pages.family_rows import period_name
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.worlds import World, make_world


def rest(world: World, number: int = 0) -> Money:
    request = world.collecting.requests[number]
    with world.collecting.database.transaction(world.collecting.scope) as session:
        return rest_of(request_balances(session, world.billing.id, [request.id])[request.id])


def pay(world: World, dong: int, memo: str | None = None) -> None:
    memo = memo or world.collecting.requests[0].reference
    world.collecting.hear_of(world.collecting.pays(memo, dong))


def arrive(world: World, dong: int, memo: str) -> None:
    """Let the bank tell of money that nobody has settled yet."""
    collecting = world.collecting
    collecting.receive(collecting.bank.callback(collecting.pays(memo, dong)))
    reconciling.normalise(collecting.wiring)


def page(world: World, number: int = 0) -> str:
    answer = world.client().get(world.link(number))
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_page_of_an_open_bill(world: World) -> None:
    text = page(world)
    assert "N. V. 1" in text
    assert "Nguyễn" not in text
    assert "Chờ nộp" in text
    assert str(rest(world)) in text
    assert world.collecting.requests[0].reference in text
    assert "Thông báo thu tháng 10/2025" in text
    assert "Phí: 0 đ" in text


def test_neither_class_nor_share_of_others_nor_legal_basis_is_shown(world: World) -> None:
    text = page(world)
    assert "Bảo hiểm y tế" in text
    assert "157.950 đ" in text
    for secret in ("315.900", "Lớp 1A", "1A<", "Nghị", "Nhà nước", "%", "miễn", "giảm", "hỗ trợ"):
        assert secret not in text, secret


def test_the_saved_picture_holds_the_code_of_the_request(world: World) -> None:
    answer = world.client().get(world.link() + "/qr.png")
    picture = Image.open(io.BytesIO(answer.content)).convert("L")
    (found,) = zxingcpp.read_barcodes(np.asarray(picture))
    code = decode(found.text)
    request = world.collecting.requests[0]
    assert (code.account, code.amount, code.memo) == (world.billing.account.number, rest(world), request.reference)
    assert answer.headers["content-type"] == "image/png"
    assert picture.height > picture.width >= 600


def test_from_paid_to_the_receipt(world: World) -> None:
    client, link = world.client(), world.link()
    before = client.get(link + "/status").json()
    due = rest(world)
    pay(world, due.dong)
    after = client.get(link + "/status").json()
    assert before["version"] != after["version"]
    assert (before["again"], after["again"]) == (True, False)
    text = page(world)
    assert "Đã có biên lai" in text
    assert "2025-2026-0000001" in text
    receipt = client.get(link + "/bien-lai/2025-2026-0000001.pdf")
    assert receipt.headers["content-type"] == "application/pdf"
    words = pypdfium2.PdfDocument(receipt.content)[0].get_textpage().get_text_bounded()
    assert "N. V. 1" in words
    assert "Nguyễn Văn" not in words
    assert client.get(link + "/qr.png").status_code == 404


def test_a_receipt_of_another_child_is_not_found(world: World) -> None:
    pay(world, rest(world).dong)
    other = world.link(1)
    assert world.client().get(other + "/bien-lai/2025-2026-0000001.pdf").status_code == 404


def test_part_payment_asks_for_the_rest_with_a_new_code(world: World) -> None:
    whole = rest(world)
    pay(world, 100_000)
    left = Money(whole.dong - 100_000)
    text = page(world)
    assert "Đã nhận một phần" in text
    assert str(left) in text
    picture = Image.open(io.BytesIO(world.client().get(world.link() + "/qr.png").content)).convert("L")
    assert decode(zxingcpp.read_barcodes(np.asarray(picture))[0].text).amount == left


def test_what_was_paid_too_much_is_told(world: World) -> None:
    pay(world, rest(world).dong + 5_000)
    assert "Tiền nộp thừa: 5.000 đ" in page(world)


def test_paying_twice_is_told(world: World) -> None:
    due = rest(world).dong
    pay(world, due)
    pay(world, due)
    assert "nộp hai lần" in page(world)


def test_money_that_waits_and_covers_the_rest_is_shown_as_received(world: World) -> None:
    """Nobody is asked to pay again while the whole sum waits for its settling."""
    client, link, due = world.client(), world.link(), rest(world)
    before = client.get(link + "/status").json()
    arrive(world, due.dong, world.collecting.requests[0].reference)
    assert world.collecting.states() == ["new"]
    text = page(world)
    assert "Đã nhận tiền" in text
    assert str(due) in text
    assert 'data-again="1"' in text
    assert "<svg" not in text
    assert client.get(link + "/qr.png").status_code == 404
    after = client.get(link + "/status").json()
    assert (after["state"], after["again"]) == ("received", True)
    assert after["version"] != before["version"]


def test_one_dong_with_the_code_takes_the_code_from_nobody(world: World) -> None:
    client, link, due = world.client(), world.link(), rest(world)
    before = client.get(link + "/status").json()
    arrive(world, 1, f"ung ho {world.collecting.requests[0].reference.lower()}")
    text = page(world)
    assert "Chờ nộp" in text
    assert "Đã nhận tiền" not in text
    assert "Một khoản 1 đ ghi mã nộp này đã đến và đang được kiểm tra" in text
    assert "<svg" in text
    assert str(due) in text
    picture = Image.open(io.BytesIO(client.get(link + "/qr.png").content)).convert("L")
    assert decode(zxingcpp.read_barcodes(np.asarray(picture))[0].text).amount == due
    after = client.get(link + "/status").json()
    assert after["state"] == "waiting"
    assert after["version"] != before["version"], "an open page shows the new sentence by itself"
    world.collecting.reconcile()
    assert "đang được kiểm tra" not in page(world)
    assert "Đã nhận một phần" in page(world)


def test_money_that_names_two_children_is_no_proof_for_one(world: World) -> None:
    """Enough for one of them, but whose it is decides a person: both keep their code and see that it is looked at."""
    request, other = world.collecting.requests[:2]
    whole = rest(world).dong
    pay(world, whole, f"{request.reference} {other.reference}")
    assert world.collecting.states() == ["waiting"]
    for number in (0, 1):
        text = page(world, number)
        assert "Chờ nộp" in text
        assert f"Một khoản {Money(whole)} ghi mã nộp này" in text
        assert "<svg" in text
    assert "đang được kiểm tra" not in page(world, 2)


def test_looking_for_money_reads_no_memos(world: World) -> None:
    """The state is asked every few seconds by every family that waits."""
    client, link = world.client(), world.link()
    statements: list[str] = []
    engine = world.collecting.database.engine
    event.listen(engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    assert client.get(link + "/status").status_code == 200
    asked = [each for each in statements if "FROM transfers" in each]
    assert asked
    for each in asked:
        conditions = each.split("WHERE", 1)[1]
        assert "memo" not in conditions
        assert "LIKE" not in conditions
        assert "transfer_references.reference =" in conditions or "transfers.virtual_account =" in conditions


def test_an_account_without_callbacks_says_when_the_school_updates(
    database: Database, addresses: Addresses, vault: Vault, servers: TestServers
) -> None:
    world = make_world(database, addresses, vault, servers, told_by="statement")
    text = page(world)
    assert "Nhà trường cập nhật trước 17 giờ ngày làm việc sau" in text
    assert 'data-again="0"' in text
    assert world.client().get(world.link() + "/status").json()["again"] is False


def test_a_renewed_link_ends_the_old_one(world: World) -> None:
    old = world.link()
    request = world.collecting.requests[0]
    with world.collecting.database.transaction(world.collecting.scope) as session:
        request = session.merge(request)
        new = links.renew_link(session, world.wiring.link_key, "", request, world.clock())
    assert new != old
    assert world.client().get(old).status_code == 404
    assert world.client().get(new).status_code == 200


def test_a_link_ends_60_days_after_the_due_day_and_30_after_a_late_payment(world: World) -> None:
    link, begun = world.link(), world.clock.now
    world.clock.now = begun + timedelta(days=70)  # due on 20 October, so the 74th day is the last
    assert world.client().get(link).status_code == 200
    world.clock.now = begun + timedelta(days=75)
    assert world.client().get(link).status_code == 404


def test_asking_for_a_link_again_gives_the_same(world: World) -> None:
    assert world.link() == world.link()
    assert world.link(0) != world.link(1)


@pytest.mark.parametrize("ending", ["", "/status", "/qr.png", "/bien-lai/2025-2026-0000001.pdf"])
def test_an_unknown_link_opens_nothing(world: World, ending: str) -> None:
    assert world.client().get("/t/" + "A" * 22 + ending).status_code == 404


@pytest.mark.parametrize(
    ("period", "shown"),
    [
        ("2025-10", "tháng 10/2025"),
        ("10/2025", "tháng 10/2025"),
        ("Tháng 9/2025", "tháng 9/2025"),
        ("Học kỳ I", "Học kỳ I"),
    ],
)
def test_periods_as_families_say_them(period: str, shown: str) -> None:
    assert period_name(period) == shown


def test_without_an_open_feed_for_calls_no_page_promises_to_change_by_itself(world: World) -> None:
    assert "tự đổi sang" in page(world)
    collecting = world.collecting
    with collecting.database.transaction(collecting.scope) as session:
        for feed in session.exec(select(Feed)).all():
            feed.closed_at = collecting.wiring.clock()
            session.add(feed)
    assert "tự đổi sang" not in page(world)
