"""Choices on real rows: opened by the office, ticked by a family behind its code, refused, ended; and who may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from service.database import EVERYTHING
from tests.billing.documents.pages import words
from tests.clean_databases import CleanDatabases
from tests.conftest import TestServers
from tests.factories.rounds import BillingSchool
from tests.service.pages.test_claims import form, send
from tests.service.pages.test_nothing_tells_poverty import of_letter
from tests.service.pages.towns import Town, open_town
from tests.service.pages.visiting import Visitor

OFFERS = "/van-phong/dang-ky/dot"
BOARDING = "Tiền tổ chức, quản lý và vệ sinh bán trú"
LINK = "Đăng ký khoản tự nguyện cho con"


def without_boarding(session: Session, billing: BillingSchool) -> None:
    """Two children never boarded, and the third is registered for nothing at all."""
    kept = [billing.pupils[number].enrolment.id for number in (0, 1)]
    session.execute(text("UPDATE opt_ins SET withdrawn_at = now() FROM fee_items i WHERE i.id = item_id"
                         " AND (i.code = 'BANTRU' OR enrolment_id <> ALL (:kept))"), {"kept": kept})  # fmt: skip


@pytest.fixture(scope="module")
def town(
    clean_databases: CleanDatabases, servers: TestServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with open_town(clean_databases, servers, folder, without_boarding) as opened:
        yield opened


def proves(town: Town, browser: Visitor, number: int = 0) -> str:
    """Let a browser prove the phone of a child's guardian from the page of choices; return where it is led."""
    here = f"{town.world.link(number)}/dang-ky"
    key = str(town.contacts(number)["phone"])
    answer = browser.sends(f"{town.world.link(number)}/ma", here, lien_lac=key, ve="dang-ky")
    page = str(answer.headers["location"])
    assert page.endswith("?ve=dang-ky")
    answer = browser.sends(page.partition("?")[0], page, ma=town.code(), ve="dang-ky")
    assert answer.headers["location"] == here
    return here


def ticks(page: str) -> list[str]:
    return re.findall(r'name="chon" value="([^"]+)"', page)


def registrations(town: Town, number: int = 0) -> list[tuple[str, bool]]:
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        rows = session.execute(
            text(
                "SELECT i.code, o.withdrawn_at IS NOT NULL FROM opt_ins o JOIN fee_items i ON i.id = o.item_id"
                " WHERE o.enrolment_id = :child AND o.evidence LIKE 'Gia đình tự%' ORDER BY o.id"
            ),
            {"child": town.world.billing.pupils[number].enrolment.id},
        ).all()
    return [(row[0], row[1]) for row in rows]


def test_from_the_office_to_the_family_and_back(town: Town) -> None:
    world, link = town.world, town.world.link()
    accountant, auditor = (world.signed_in(world.staff(role)) for role in ("accountant", "auditor"))
    assert LINK not in town.visitor().reads(world.link(2))
    assert "khoan=BANTRU" in accountant.get(OFFERS).text
    assert "khoan=BANTRU" not in auditor.get(OFFERS).text
    opening = f"{OFFERS}?khoan=BANTRU"
    page = accountant.get(opening).text
    words = re.search(r'name="loi"[^>]*>([^<]+)<', page)
    assert words
    assert BOARDING in words[1]
    wrong = form(accountant, opening, khoan="BANTRU", tu="2025-11-01", han="2025-01-01", loi=words[1])
    assert accountant.post(OFFERS, data=wrong).status_code == 422
    here = send(accountant, opening, OFFERS, khoan="BANTRU", tu="2025-11-01", han="2025-10-25", loi=words[1])
    again = form(accountant, opening, khoan="BANTRU", tu="2025-11-01", han="2025-10-25", loi=words[1])
    assert accountant.post(OFFERS, data=again).status_code == 409

    browser = town.visitor()
    assert LINK in browser.reads(link)
    assert LINK in browser.reads(world.link(2))
    assert BOARDING not in browser.reads(f"{link}/dang-ky")
    mine = proves(town, browser)
    shown = browser.reads(mine)
    assert "300.000 đ/tháng" in shown
    assert "Dùng từ ngày 01/11/2025" in shown
    assert "checked" not in shown
    [tick] = ticks(shown)
    nothing = browser.sends(mine, mine).headers["location"]
    assert "Chưa đánh dấu khoản nào" in browser.reads(nothing)
    assert browser.sends(mine, mine, chon="nonsense").status_code == 422
    stale = browser.sends(mine, mine, chon=f"{tick.partition(':')[0]}:00")
    assert stale.status_code == 409
    assert f'href="{mine}"' in stale.text
    assert registrations(town) == []
    assert browser.sends(mine, mine, chon=tick).headers["location"].endswith("xong=dang-ky")
    assert registrations(town) == [("BANTRU", False)]
    assert browser.sends(mine, mine, chon=tick).headers["location"].endswith("xong=nhu-cu")
    assert registrations(town) == [("BANTRU", False)]
    assert "Rút đăng ký" in browser.reads(mine)

    listed = auditor.get(here).text
    assert "Nguyễn Văn 1" in listed
    assert "Từ chối đăng ký này" not in listed
    choice = re.search(r'name="lua_chon" value="([^"]+)"', accountant.get(here).text)
    assert choice
    send(accountant, here, f"{here}/tu-choi", lua_chon=choice[1], ly_do="Lớp bán trú đã đủ 35 em")
    assert registrations(town) == [("BANTRU", True)]
    refused = browser.reads(mine)
    assert "Lớp bán trú đã đủ 35 em" in refused
    assert ticks(refused) == []
    assert browser.sends(mine, mine, chon=tick).status_code == 422
    assert BOARDING not in browser.reads(link)


def test_no_slip_and_no_message_says_what_a_family_did_not_choose(town: Town) -> None:
    """Nobody boards, and boarding may be open: papers and messages speak of what is charged, and of nothing else."""
    world = town.world
    accountant = world.signed_in(world.staff("accountant"))
    with world.collecting.database.transaction(EVERYTHING) as session:
        round_id = session.execute(text("SELECT id FROM billing_rounds")).scalar_one()
        class_id = world.billing.pupils[0].class_group.id
    slips = accountant.get(f"/van-phong/dot-thu/{round_id}/giay-bao/{class_id}.pdf").content
    assert town.tell() > 0
    told = [" ".join(words(slips)), *map(of_letter, town.letters())]
    assert len(told) > 1
    for text_ in told:
        assert "nước uống" in text_
        assert "vệ sinh" not in text_
    assert town.zalo.delivered
    for message in town.zalo.delivered:
        assert "vệ sinh" not in str(message.params)


def test_a_session_of_another_child_and_a_late_family_get_nowhere(town: Town) -> None:
    world = town.world
    world.clock.now += timedelta(days=1)
    browser = town.visitor()
    mine, other = proves(town, browser, 1), f"{world.link(2)}/dang-ky"
    [tick] = ticks(browser.reads(mine))
    foreign = browser.reads(other)
    assert ticks(foreign) == []
    assert "không phải của người được xem" in foreign
    assert browser.sends(other, other, chon=tick).headers["location"] == other
    assert browser.sends(f"{other}/thoi", other, khoan="TIENAN", ban="00").headers["location"] == other
    assert town.visitor().sends(mine, mine, chon=tick).headers["location"] == mine
    assert registrations(town, 1) == registrations(town, 2) == []
    world.clock.now += timedelta(days=30)
    browser = town.visitor()
    mine = proves(town, browser, 1)
    assert ticks(browser.reads(mine)) == []
    late = browser.sends(mine, mine, chon=tick)
    assert late.status_code == 422
    assert "Đã hết thời gian đăng ký" in late.text
    assert registrations(town, 1) == []


def test_a_family_ends_what_its_class_list_had(town: Town) -> None:
    town.world.clock.now += timedelta(days=1)
    browser = town.visitor()
    mine = proves(town, browser, 1)
    shown = browser.reads(f"{mine}?lang=en")
    assert "End Tiền ăn bán trú" in shown
    digest = re.search(r'name="khoan" value="TIENAN"><input type="hidden" name="ban" value="([0-9a-f]{64})"', shown)
    assert digest
    stale = browser.sends(f"{mine}/thoi", mine, khoan="TIENAN", ban="00" * 32)
    assert stale.status_code == 409
    done = browser.sends(f"{mine}/thoi", mine, khoan="TIENAN", ban=digest[1])
    assert done.headers["location"].endswith("xong=thoi")
    again = browser.sends(f"{mine}/thoi", mine, khoan="TIENAN", ban=digest[1])
    assert again.headers["location"].endswith("xong=nhu-cu")
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        kept = session.execute(text("SELECT kind, words FROM family_choices ORDER BY at DESC LIMIT 1")).one()
    assert kept[0] == "end"
    assert kept[1].startswith("End Tiền ăn bán trú for your child after")
