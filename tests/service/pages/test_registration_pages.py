"""From the small code on a slip to the next notice: the form, the code, the consent, the office's word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from billing.rounds.tables import BillingRound
from service.access import guardian_codes
from service.access.consent_texts import NOTICES_1
from service.access.guardian_tables import RegistrationLink
from service.access.links import digest
from service.database import EVERYTHING
from tests.billing.documents.pages import codes, pictures
from tests.clean_databases import CleanDatabases
from tests.conftest import TestServers
from tests.factories.schools import make_school
from tests.service.pages.towns import Town, open_town
from tests.service.pages.visiting import Visitor

OFFICE = "/van-phong/lien-he"
PHONE = "0987 000 111"
FORM = {"ho_ten": "Trần Thị Hoa", "quan_he": "mother", "lien_lac": PHONE, "dong_y": NOTICES_1.version}


@pytest.fixture(scope="module")
def whole_town(
    clean_databases: CleanDatabases, servers: TestServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    with open_town(clean_databases, servers, tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def town(whole_town: Town) -> Town:
    """The town on the next day."""
    whole_town.world.clock.now += timedelta(days=1)
    whole_town.zalo.delivered.clear()
    return whole_town


def forms(town: Town) -> list[str]:
    """Return the paths that the small codes on the class's slips open, child by child."""
    accountant = town.world.signed_in(town.world.staff("accountant"))
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        round_id = session.exec(select(BillingRound.id)).one()
    group = town.world.billing.pupils[0].class_group.id
    answer = accountant.get(f"/van-phong/dot-thu/{round_id}/giay-bao/{group}.pdf")
    assert answer.status_code == 200
    base = town.world.wiring.settings.base_url
    read = [code for page in pictures(answer.content, 200) for code in codes(page) if code.startswith(base)]
    paths = {digest(code.rpartition("/")[2]): code.removeprefix(base) for code in read if "/dk/" in code}
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        links = session.exec(select(RegistrationLink).where(col(RegistrationLink.token_hash).in_(paths))).all()
    found = {link.pupil_id: paths[link.token_hash] for link in links}
    return [found[child.id] for child in town.world.billing.pupils]


def registers(town: Town, browser: Visitor, form: str, **fields: str) -> None:
    """Fill in the form, prove the contact, and read that it waits."""
    asked = browser.sends(form, form, **FORM | fields)
    assert asked.status_code == 303, asked.text
    page = asked.headers["location"]
    done = browser.sends(page, page, ma=town.code())
    assert done.headers["location"] == f"{form}?xong=1"
    assert "Đã ghi đăng ký" in browser.reads(done.headers["location"])


def count(town: Town, table: str) -> int:
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608  names of ours


def decides(town: Town, act: str, login: str = "accountant", **fields: str) -> tuple[int, str]:
    """Let the office decide on what waits; return status and what the list then says."""
    office = Visitor(town.world.app())
    office.client.cookies = town.world.signed_in(town.world.staff(login)).cookies
    found = re.search(rf"{OFFICE}/([0-9a-f-]+)/{act}", office.reads(OFFICE))
    assert found
    answer = office.sends(f"{OFFICE}/{found.group(1)}/{act}", **fields)
    return answer.status_code, office.reads(OFFICE)


def test_a_slip_registers_the_school_agrees_and_the_next_notice_goes_there(town: Town) -> None:
    town.world.collecting.rung.clear()
    paths = forms(town)
    assert len(set(paths)) == 3
    browser, form = town.visitor(), paths[2]
    page = browser.reads(form)
    assert "checked" not in page  # nothing is ticked beforehand
    assert "Nguyễn Văn 3" not in page
    assert "123.456" not in page
    registers(town, browser, form)
    assert town.zalo.delivered[-1].phone == "84987000111"
    town.zalo.delivered.clear()
    office = Visitor(town.world.app())
    office.client.cookies = town.world.signed_in(town.world.staff("approver")).cookies
    waiting = office.reads(OFFICE)
    for wanted in ("Trần Thị Hoa", "mẹ", "09•• ••• 111", "Nguyễn Văn 3"):
        assert wanted in waiting
    assert "987000111" not in waiting
    status, after = decides(town, "nhan")
    assert (status, "Trần Thị Hoa" in after) == (303, False)
    assert town.tell() > 0
    told = [message.phone for message in town.zalo.delivered]
    assert told.count("84987000111") == 1
    assert len(told) == 4  # three children's first guardians, and her

    # and she takes it back on the page that explains the bill
    link = town.world.link(2)
    choice = re.search(
        r'value="(\d+)" required> <span>Zalo <span class="code nowrap">09•• ••• 111', browser.reads(f"{link}/chi-tiet")
    )
    assert choice
    asked = browser.sends(f"{link}/ma", lien_lac=choice.group(1))
    browser.sends(asked.headers["location"], asked.headers["location"], ma=town.code())
    assert "Thôi nhận thông báo" in browser.reads(f"{link}/chi-tiet")
    back = browser.sends(f"{link}/thoi-nhan")
    assert "Đã rút lại" in browser.reads(back.headers["location"])
    town.zalo.delivered.clear()
    town.world.collecting.hear_of(town.world.collecting.pays(town.world.collecting.requests[2].reference, 1_000))
    assert town.tell() > 0
    assert "84987000111" not in [message.phone for message in town.zalo.delivered]
    assert len(town.zalo.delivered) == 1  # the receipt went to the other guardian


def test_a_form_that_is_not_in_order_stores_nothing_sends_nothing_and_costs_nothing(town: Town) -> None:
    browser, form = town.visitor(), forms(town)[0]
    before = count(town, "guardian_codes")
    faults = (
        ({"dong_y": ""}, "Chưa đánh dấu đồng ý"),
        ({"dong_y": "1"}, "vừa được sửa"),
        ({"dong_y": "2019-01"}, "vừa được sửa"),
        ({"ho_ten": " "}, "Chưa ghi họ tên"),
        ({"ho_ten": "\x1b"}, "Chưa ghi họ tên"),
        ({"quan_he": "teacher"}, "Chưa chọn quan hệ"),
        ({"lien_lac": "12"}, "không đúng"),
        ({"lien_lac": "x@y"}, "không đúng"),
    )
    assert len(faults) > guardian_codes.BY_LINK.tries
    for fields, said in faults:
        answer = browser.sends(form, form, **FORM | fields)
        assert answer.status_code == 422
        assert said in answer.text
        assert "checked" not in answer.text
    assert count(town, "guardian_codes") == before
    assert town.zalo.delivered == []
    assert browser.sends(form, form, **FORM).status_code == 303


def test_six_codes_an_hour_on_one_link_whoever_asks(town: Town) -> None:
    form = forms(town)[0]
    answers = [town.visitor().sends(form, form, **FORM | {"lien_lac": f"0987 000 2{turn:02d}"}) for turn in range(8)]
    assert [answer.status_code for answer in answers] == [303] * 6 + [429] * 2
    assert len(town.zalo.delivered) == 6


def test_a_known_number_is_answered_as_an_unknown_one(town: Town) -> None:
    town.tell()
    known = "0" + town.zalo.delivered[0].phone[2:] if town.zalo.delivered else "0" + _phone(town)[2:]
    form = forms(town)[1]
    answers, pages = [], []
    for phone in (known, "0987 000 333"):
        browser = town.visitor()
        answers.append(browser.sends(form, form, **FORM | {"lien_lac": phone}))
        page = browser.reads(answers[-1].headers["location"])
        pages.append(re.sub(r"[0-9a-f]{8}-[0-9a-f-]+|value=\"[0-9a-f]+\"|•• ••• \d+", "", page))
    assert [answer.status_code for answer in answers] == [303, 303]
    assert pages[0] == pages[1]


def _phone(town: Town) -> str:
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        sealed = session.execute(text("SELECT sealed FROM contacts WHERE kind = 'phone' ORDER BY id")).scalars().first()
    assert sealed
    return town.world.wiring.vault.open(sealed, "contacts.phone")


def test_who_registered_sees_nothing_before_the_school_agrees_and_nothing_after_a_no(town: Town) -> None:
    browser, form, link = town.visitor(), forms(town)[0], town.world.link()
    registers(town, browser, form, lien_lac="0987 000 444", ho_ten="Kẻ Lạ")
    choices = browser.reads(f"{link}/chi-tiet")
    assert "444" not in choices
    assert browser.session is None
    status, after = decides(town, "tu-choi", ly_do="không phải phụ huynh của em")
    assert (status, "Kẻ Lạ" in after) == (303, False)
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        kept = session.execute(text("SELECT string_agg(r::text, ' ') FROM registrations r")).scalar_one()
    assert "Kẻ Lạ" not in kept
    assert "444" not in town.visitor().reads(f"{link}/chi-tiet")


def test_a_refusal_says_why_and_only_the_schools_own_office_decides(town: Town) -> None:
    registers(town, town.visitor(), forms(town)[0], lien_lac="0987 000 555")
    assert decides(town, "tu-choi", ly_do=" ")[0] == 422

    with town.world.collecting.database.transaction(EVERYTHING) as session:
        school = make_school(session)
        waiting = session.execute(text("SELECT id FROM registrations ORDER BY made_at DESC LIMIT 1")).scalar_one()
    stranger = Visitor(town.world.app())
    stranger.client.cookies = town.world.signed_in(town.world.staff("accountant", school_id=school.id)).cookies
    assert "Trần Thị Hoa" not in stranger.reads(OFFICE)
    for act in ("nhan", "tu-choi"):
        answer = stranger.sends(f"{OFFICE}/{waiting}/{act}", "/van-phong/thong-bao", ly_do="x")
        assert answer.status_code == 404
    for role in ("cashier", "class_teacher", "auditor"):
        other = town.world.signed_in(town.world.staff(role))
        assert other.get(OFFICE).status_code in {303, 403}, role
    decides(town, "tu-choi", ly_do="thử")


def test_a_code_for_registering_opens_no_bill_and_the_other_way_round(town: Town) -> None:
    browser, form, link = town.visitor(), forms(town)[0], town.world.link()
    asked = browser.sends(form, form, **FORM | {"lien_lac": "0987 000 666"})
    code_id, code = asked.headers["location"].rpartition("/")[2], town.code()
    assert browser.sends(f"{link}/ma/{code_id}", f"{link}/chi-tiet", ma=code).status_code == 404
    explain = town.asks(browser)
    mine = explain.rpartition("/")[2]
    assert browser.sends(f"{form}/ma/{mine}", form, ma=town.code()).status_code == 404
    other = forms(town)[1]
    assert browser.sends(f"{other}/ma/{code_id}", other, ma=code).status_code == 404
    assert browser.session is None


def test_a_form_whose_link_has_ended_is_not_found(town: Town) -> None:
    browser, form = town.visitor(), forms(town)[0]
    asked = browser.sends(form, form, **FORM | {"lien_lac": "0987 000 777"})
    town.world.clock.now += timedelta(minutes=9)
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        session.execute(text("UPDATE registration_links SET revoked_at = now()"))
    before = count(town, "registrations")
    for path in (form, asked.headers["location"]):
        browser.reads(path, 404)
    browser.reads("/dang-nhap")
    assert browser.sends(form, **FORM).status_code == 404
    assert browser.sends(asked.headers["location"], ma=town.code()).status_code == 404
    assert count(town, "registrations") == before
    assert forms(town)[0] != form
