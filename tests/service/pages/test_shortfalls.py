"""Money from abroad that arrives short, and money that the bank takes back, over the real web."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from reconciliation.matching import Direction
from tests.factories.abroad import pay_from_abroad
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World

PAGE, OUT = "/van-phong/thieu-phi", "/van-phong/tien-ra"


def found_in(client: TestClient, page: str, pattern: str) -> str:
    found = re.search(pattern, client.get(page).text)
    assert found, pattern
    return found[1]


def test_the_limit_by_two_the_fee_by_two_and_back(world: World) -> None:
    maker, checker = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    bank = world.collecting
    due = bank.rests()[0]
    bank.hear_of(bank.pays(f"INWARD TT MT103 SHA {bank.requests[0].reference}", due - 20_000))
    assert "chưa chấp nhận khoản thiếu nào" in maker.get(PAGE).text
    send(maker, PAGE, f"{PAGE}/han-muc", so_tien="50.000", ly_do="QĐ 15/QĐ-HT")
    agree = found_in(checker, PAGE, rf'action="({PAGE}/han-muc/[0-9a-f-]+/duyet)')
    assert maker.post(agree, data=form(maker, PAGE)).status_code == 403
    send(checker, PAGE, agree)
    shown = maker.get(PAGE).text
    assert "có dấu hiệu quốc tế" in shown
    ids = {name: found_in(maker, PAGE, rf'name="{name}" value="([0-9a-f-]+)"') for name in ("giao_dich", "thong_bao")}
    bare = form(maker, PAGE, **ids, so_dien="", ly_do="Phí SHA")
    assert maker.post(PAGE, data=bare).status_code == 422
    send(maker, PAGE, PAGE, **ids, so_dien="MT103 FT2527", ly_do="Phí SHA")
    assert bank.rests()[0] == 20_000, "another person agrees"
    agree = found_in(checker, PAGE, rf'action="({PAGE}/[0-9a-f-]+/duyet)')
    assert maker.post(agree, data=form(maker, PAGE)).status_code == 403
    send(checker, PAGE, agree)
    assert bank.rests()[0] == 0
    undo = found_in(checker, PAGE, rf'action="({PAGE}/[0-9a-f-]+/huy)')
    send(checker, PAGE, undo, ly_do="Ngân hàng đã bù")
    assert bank.rests()[0] == 20_000
    assert "đã hủy" in maker.get(PAGE).text


def test_nobody_accepts_alone_what_a_firm_from_abroad_sent(world: World) -> None:
    maker, checker = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    bank = world.collecting
    due = bank.rests()[0]
    pay_from_abroad(bank, bank.requests[0].reference, due - 20_000)
    send(maker, PAGE, f"{PAGE}/han-muc", so_tien="50.000", ly_do="QĐ 15/QĐ-HT")
    send(checker, PAGE, found_in(checker, PAGE, rf'action="({PAGE}/han-muc/[0-9a-f-]+/duyet)'))
    assert "có dấu hiệu quốc tế" in maker.get(PAGE).text
    ids = {name: found_in(maker, PAGE, rf'name="{name}" value="([0-9a-f-]+)"') for name in ("giao_dich", "thong_bao")}
    send(maker, PAGE, PAGE, **ids, so_dien="MT103 FT2528", ly_do="Phí SHA")
    assert bank.rests()[0] == 20_000
    send(checker, PAGE, found_in(checker, PAGE, rf'action="({PAGE}/[0-9a-f-]+/duyet)'))
    assert bank.rests()[0] == 0


def test_what_the_bank_took_back_is_written_down_by_one_and_agreed_by_another(world: World) -> None:
    maker, checker = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    bank = world.collecting
    due = bank.rests()[0]
    bank.hear_of(bank.pays(bank.requests[0].reference, due))
    bank.hear_of(bank.pays("thu hoi lenh chuyen nham", due, direction=Direction.OUT))
    assert bank.rests()[0] == 0
    ask = found_in(maker, OUT, rf'action="({OUT}/[0-9a-f-]+/thu-hoi)')
    came = found_in(maker, OUT, r'<option value="([0-9a-f-]{36})">')
    send(maker, OUT, ask, tien_vao=came, ly_do="Công văn 12")
    assert "chờ duyệt" in maker.get(OUT).text
    agree = found_in(checker, OUT, rf'action="({OUT}/thu-hoi/[0-9a-f-]+/duyet)')
    send(checker, OUT, agree)
    assert bank.rests()[0] == due
    assert "Ngân hàng thu hồi tiền đã báo có" in maker.get(OUT).text
    assert "Đã nộp đủ" not in world.client().get(world.link(0)).text
