"""Guardians on real rows: a code by Zalo or mail, what it opens, for whom, for how long, and what attackers meet."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from service.access import guardian_codes, sessions
from service.access.guardian_sessions import LIFETIME
from service.database import EVERYTHING
from service.standins.zalo import ZaloRules
from tests.clean_databases import CleanDatabases
from tests.conftest import TestServers
from tests.service.pages.towns import Town, open_town


@pytest.fixture(scope="module")
def whole_town(
    clean_databases: CleanDatabases, servers: TestServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """One town for the file; each test has a day of its own in it."""
    with open_town(clean_databases, servers, tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def town(whole_town: Town) -> Iterator[Town]:
    """The town on the next day: nobody is held back by what he asked for yesterday, and nothing is on the phones."""
    whole_town.world.clock.now += timedelta(days=1)
    whole_town.zalo.delivered.clear()
    yield whole_town
    whole_town.zalo.rules = ZaloRules()
    with whole_town.world.collecting.database.transaction(EVERYTHING) as session:
        session.execute(text("UPDATE link_tokens SET revoked_at = NULL, expires_at = '2026-01-01'"))


FULL = "Trước khi trừ"  # stands in the full view only
NAME = "Nguyễn Văn 1"  # whole in the full view, masked elsewhere


def wrong(code: str, step: int = 1) -> str:
    return f"{(int(code) + step) % 1_000_000:06d}"


def test_a_code_by_zalo_opens_the_full_view_until_it_is_closed(town: Town) -> None:
    browser, link = town.visitor(), town.world.link()
    plain = browser.reads(f"{link}/chi-tiet")
    assert FULL not in plain
    assert NAME not in plain
    form = town.asks(browser)
    assert town.code() not in browser.reads(form)
    assert town.audit("explanation_opened") == 0
    answer = browser.sends(form, ma=town.code())
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=1800" in cookie
    full = browser.reads(answer.headers["location"])
    assert FULL in full
    assert NAME in full
    assert town.audit("explanation_opened") == 1
    assert FULL not in town.visitor().reads(f"{link}/chi-tiet")  # another browser with the same link
    kept = browser.session
    assert "xong=dong" in browser.sends(f"{link}/dong-phien").headers["location"]
    assert browser.session is None
    thief = town.visitor()
    thief.client.cookies.set("hocphi-guardian", kept or "")
    assert FULL not in thief.reads(f"{link}/chi-tiet")


def test_a_code_by_mail_and_the_page_in_english(town: Town) -> None:
    browser, link = town.visitor(), town.world.link()
    browser.reads(f"{link}/chi-tiet?lang=en")
    form = town.asks(browser, "email")
    letter = town.letters()[-1]
    assert letter["To"] == "me@gia-dinh.example"
    assert "your code is" in letter["Subject"]
    answer = browser.sends(form, form, ma=letter["Subject"][-6:])
    assert "Before deductions" in browser.reads(answer.headers["location"])
    assert town.zalo.delivered == []


def test_cookies_of_production_are_bound_to_the_host() -> None:
    header = sessions.guardian_cookie(production=True).header("x", max_age=LIFETIME)
    assert header == "__Host-hocphi-guardian=x; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=1800"


def test_no_guardian_page_is_kept_indexed_or_told_to_others(town: Town) -> None:
    browser = town.visitor()
    town.signs_in(browser)
    form = town.asks(town.visitor())
    for path in (f"{town.world.link()}/chi-tiet", form):
        browser.reads(path)
        assert browser.answer is not None
        headers = browser.answer.headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "noindex" in headers["x-robots-tag"]


def test_half_an_hour_later_it_is_closed(town: Town) -> None:
    browser, link = town.visitor(), town.world.link()
    town.signs_in(browser)
    town.world.clock.now += LIFETIME - timedelta(seconds=1)
    assert FULL in browser.reads(f"{link}/chi-tiet")
    town.world.clock.now += timedelta(seconds=1)
    assert FULL not in browser.reads(f"{link}/chi-tiet")


def test_a_new_proof_makes_a_new_session_and_ends_the_one_before(town: Town) -> None:
    browser, link = town.visitor(), town.world.link()
    planted = sessions.new_session().token
    form = town.asks(browser)
    browser.reads(form)
    browser.client.headers["cookie"] = (
        f"hocphi-guardian={planted}; hocphi-visitor={browser.client.cookies['hocphi-visitor']}"
    )
    answer = browser.sends(form, ma=town.code())
    del browser.client.headers["cookie"]
    first = browser.session or ""
    assert answer.status_code == 303
    assert first != planted
    town.world.clock.now += timedelta(minutes=1)
    town.signs_in(browser)
    assert browser.session != first
    for token in (planted, first):
        thief = town.visitor()
        thief.client.cookies.set("hocphi-guardian", token)
        assert FULL not in thief.reads(f"{link}/chi-tiet")
    assert FULL in browser.reads(f"{link}/chi-tiet")


def test_a_guardian_sees_no_other_child_and_can_ask_for_no_code_there(town: Town) -> None:
    browser, other = town.visitor(), town.world.link(1)
    town.signs_in(browser)
    page = browser.reads(f"{other}/chi-tiet")
    assert FULL not in page
    assert "không phải của người được xem" in page
    sent = len(town.zalo.delivered)
    answer = browser.sends(f"{other}/ma", lien_lac=str(town.contacts(0)["phone"]))
    assert answer.status_code == 404
    assert browser.sends(f"{other}/thoi-nhan", f"{other}/chi-tiet").headers["location"] == f"{other}/chi-tiet"
    assert len(town.zalo.delivered) == sent
    assert town.audit("explanation_opened") == 0


def test_a_code_opens_only_the_link_it_was_asked_for_on(town: Town) -> None:
    browser = town.visitor()
    form = town.asks(browser)
    code_id = form.rpartition("/")[2]
    other = town.world.link(1)
    answer = browser.sends(f"{other}/ma/{code_id}", f"{other}/chi-tiet", ma=town.code())
    assert answer.status_code == 404
    assert browser.session is None
    assert browser.sends(form, form, ma=town.code()).status_code == 303  # and no try was lost


def test_five_wrong_tries_are_counted_although_each_is_an_error(town: Town) -> None:
    browser = town.visitor()
    form = town.asks(browser)
    code = town.code()
    for step in range(1, 6):
        answer = browser.sends(form, form, ma=wrong(code, step))
        assert answer.status_code == 422
        assert (f"Còn {5 - step} lần thử." in answer.text) == (step < 5)
    assert 'name="ma"' not in answer.text
    answer = browser.sends(form, f"{town.world.link()}/chi-tiet", ma=code)
    assert answer.status_code == 422
    assert "không dùng được nữa" in answer.text
    assert browser.session is None


def test_a_used_code_and_its_page_are_worth_nothing(town: Town) -> None:
    browser = town.visitor()
    form = town.asks(browser)
    assert browser.sends(form, form, ma=town.code()).status_code == 303
    again = town.visitor()
    assert "không dùng được nữa" in again.reads(form)
    assert again.sends(form, f"{town.world.link()}/chi-tiet", ma=town.code()).status_code == 422
    assert again.session is None


def test_forms_of_others_send_no_code_and_open_nothing(town: Town) -> None:
    browser, link = town.visitor(), town.world.link()
    key = str(town.contacts()["phone"])
    assert browser.client.post(f"{link}/ma", data={"lien_lac": key}).status_code == 403
    browser.reads(f"{link}/chi-tiet")
    browser.client.headers["sec-fetch-site"] = "cross-site"
    assert browser.sends(f"{link}/ma", lien_lac=key).status_code == 403
    assert town.zalo.delivered == []


def test_a_phone_is_not_flooded_by_whoever_has_the_link(town: Town) -> None:
    browser, link, keys = town.visitor(), town.world.link(), town.contacts()
    answers = [
        asker.sends(f"{link}/ma", f"{link}/chi-tiet", lien_lac=str(keys["phone"]))
        for asker in (browser, town.visitor(), browser, town.visitor(), browser)
    ]
    assert [answer.status_code for answer in answers] == [303] * 3 + [429] * 2
    assert "Xin chờ 60 phút" in answers[-1].text
    assert len(town.zalo.delivered) == 3
    town.world.clock.now += timedelta(hours=1)
    town.asks(browser)
    assert len(town.zalo.delivered) == 4


def test_codes_are_slowed_down_by_address_across_links(town: Town) -> None:
    browser = town.visitor()
    forms = [town.asks(browser, number=number) for number in (0, 1)]
    browser.reads(forms[0])
    most = guardian_codes.TRIES_BY_ADDRESS.tries
    answers = [browser.sends(forms[turn % 2], ma="").status_code for turn in range(most)]
    assert set(answers) == {422}
    assert browser.sends(forms[1], ma=town.code()).status_code == 429
    assert browser.session is None


@pytest.mark.parametrize("end", ["revoked_at = now()", "expires_at = '2025-10-01'"])
def test_a_link_that_has_ended_opens_no_page_of_a_guardian(town: Town, end: str) -> None:
    browser, link = town.visitor(), town.world.link()
    town.signs_in(browser)
    form = town.asks(town.visitor())
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        session.execute(text(f"UPDATE link_tokens SET {end}"))  # noqa: S608  words of this test
    sent = len(town.zalo.delivered)
    for path in (f"{link}/chi-tiet", form):
        browser.reads(path, 404)
    page = "/dang-nhap"
    for path in (f"{link}/ma", form, f"{link}/thoi-nhan"):
        answer = browser.sends(path, page, ma=town.code(), lien_lac=str(town.contacts()["phone"]))
        assert answer.status_code == 404, path
    assert len(town.zalo.delivered) == sent


def test_made_up_codes_and_links_are_not_found_and_block_who_makes_them_up(town: Town) -> None:
    browser, link = town.visitor(), town.world.link()
    browser.reads(f"{link}/chi-tiet")
    for _ in range(20):
        assert browser.client.get(f"{link}/ma/{uuid4()}").status_code == 404
    assert browser.client.get(f"{link}/chi-tiet").status_code == 429


def test_what_zalo_does_not_take_is_said_and_nothing_is_open(town: Town) -> None:
    browser, link = town.visitor(), town.world.link()
    town.zalo.rules = ZaloRules(daily_quota=0)
    answer = browser.sends(f"{link}/ma", f"{link}/chi-tiet", lien_lac=str(town.contacts()["phone"]))
    assert answer.status_code == 503
    assert "Chưa gửi được mã tới" in answer.text


def test_no_log_line_holds_a_code_a_phone_or_a_session(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser = town.visitor()
    form = town.asks(browser)
    browser.sends(form, form, ma=wrong(town.code()))
    browser.sends(form, form, ma=town.code())
    assert browser.session
    phone = town.zalo.delivered[-1].phone
    lines = [line.getMessage() for line in caplog.records if line.name.partition(".")[0] in OURS]
    assert lines
    for secret in (town.code(), phone, phone[2:], browser.session, NAME):
        assert not [line for line in lines if secret in line], secret


OURS = {"service", "notifications", "billing", "hocphi", "uvicorn", "httpx"}


def test_every_step_is_in_the_audit_with_ids_and_masks_only(town: Town) -> None:
    browser = town.visitor()
    town.signs_in(browser)
    browser.reads(f"{town.world.link()}/chi-tiet")
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        details = session.execute(text("SELECT string_agg(d::text, ' ') FROM audit_details d")).scalar_one()
        noted = session.execute(text("SELECT action, outcome FROM access_events ORDER BY id DESC LIMIT 1")).all()
    assert town.audit("code_sent") == 1
    assert town.audit("explanation_opened") == 1
    assert [tuple(each) for each in noted] == [("guardian_code", "right")]
    for secret in (town.code(), town.zalo.delivered[-1].phone, NAME):
        assert secret not in details
