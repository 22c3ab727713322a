"""What browsers and strangers may send to the pages of cards: refused in words, never an error of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from tests.factories.cards import Carding, carding
from tests.service.pages.test_card_pages import OFFICE, action
from tests.service.pages.worlds import World

ODD = ("%00", "a%00b", "%ff", "%ed%a0%80", "x" * 3000, "khong", "%e2%80%8b", "..%2f..", "1%27--")
ID = "0199b3c0-0000-7000-8000-00000000000f"


@pytest.fixture
def cards(world: World) -> Iterator[Carding]:
    with carding(world.collecting) as made:
        yield made


def sent(client: TestClient, path: str, **fields: str) -> int:
    """Send a form with the page's token; returns the status."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(OFFICE).text)
    return client.post(f"{OFFICE}/{path}", data={"csrf": found[1] if found else "0", **fields}).status_code


def test_odd_addresses_and_fields_are_refused(world: World, cards: Carding) -> None:
    cards.pay()
    cards.standin.books.move("topup", 400_000, "Top-up")
    cards.clock.later(minutes=6)
    cards.ask()
    maker, approver = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    refused = {400, 403, 404, 409, 413, 414, 422}
    for odd in ODD:
        for path in (f"chi-tra/{odd}", f"chi-tra/{odd}/go", f"bien-dong/{odd}", f"bien-dong/{odd}/nap", f"so-du/{odd}"):
            assert sent(maker, path, ly_do="x", giao_dich=str(uuid4())) in refused, path
            assert sent(approver, path, ly_do="x", giao_dich=str(uuid4())) in refused, path
    for odd in ("", "abc", "\x00", "0" * 36, "１２３", ID):
        assert sent(maker, "chi-tra/po_1", giao_dich=odd, ly_do="x") in refused, odd
        assert sent(maker, f"nop/{ID}/hoan", so_tien=odd, ly_do="x") in refused, odd
    movement = action(maker, r"bien-dong/txn_\d+").removeprefix(f"{OFFICE}/")
    for reason in ("\x00", "a\x00b", " ", "x" * 301):
        assert sent(maker, movement, ly_do=reason) in refused, reason
        assert sent(maker, f"{movement}/nap", ly_do=reason) in refused, reason
    for path in (f"viec/{ID}/duyet", f"viec/{ID}/tu-choi", f"hoan/{ID}/duyet", f"bat-tat/{ID}/duyet"):
        assert sent(approver, path, ly_do="x") in refused, path
    assert world.collecting.books()["1388T"] == -400_000, "nothing was done"


def test_odd_questions_are_answered(world: World, cards: Carding) -> None:
    cards.pay()
    cards.hear()
    maker, stranger = world.signed_in(world.staff("accountant")), world.client()
    for question in ("truoc=-1", f"truoc={10**20}", "truoc=0", f"truoc={2**62}", "truoc=x", "da=%00", "da=" + "x" * 99):
        assert maker.get(f"{OFFICE}?{question}").status_code in {200, 422}, question
    for path in ("/the/abc", "/the/xong", "/the/xong?lan=x", "/the/xong?lan=", f"/the/thoi?lan={ID}", "/the/%00"):
        assert stranger.get(path).status_code in {200, 404, 422}, path


def test_an_act_is_decided_once_however_often_it_is_pressed(world: World, cards: Carding) -> None:
    cards.pay()
    cards.standin.books.move("adjustment", -7_000, "x")
    cards.clock.later(minutes=6)
    cards.ask()
    maker, approver = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    movement = action(maker, r"bien-dong/txn_\d+").removeprefix(f"{OFFICE}/")
    assert [sent(maker, movement, ly_do="x") for _ in range(2)] == [303, 409]
    act = action(approver, r"viec/[0-9a-f-]{36}/duyet").removeprefix(f"{OFFICE}/")
    assert sent(maker, act) == 403, "asked by the same person, and no approver"
    assert [sent(approver, act) for _ in range(2)] == [303, 409]
    assert sent(approver, act.replace("duyet", "tu-choi"), ly_do="x") == 409
