"""A contract goes to its family by link, is read with all its sums, and agreed to with a one-time code; or not."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.bills.tables import Bill
from billing.contracts.reading import find_contract
from billing.contracts.tables import ContractAgreement, ContractStep
from billing.fees.item_rows import find_item
from billing.money import Money
from billing.people.tables import Contact, Guardianship
from notifications.rules import Kind
from service.access import contract_links
from service.database import EVERYTHING
from service.standins.zalo import TEMPLATE_IDS, Delivered
from tests.billing.contracts.contract_world import PrivateSchool, make_private_school, new_version
from tests.clean_databases import CleanDatabases
from tests.conftest import TestServers
from tests.service.pages.test_claims import form, send
from tests.service.pages.test_contract_pages import CHILD, ROOT, SIGNED
from tests.service.pages.test_nothing_tells_poverty import tells_nothing
from tests.service.pages.towns import Town, open_town
from tests.service.pages.visiting import Visitor

WANTED = {"cach": "half", "tu": "2026-02-01", "so_thang": "4"}


class Place(PrivateSchool):
    """The private school of the town, with its accountant's browser."""

    town: Town
    accountant: TestClient

    def signs_in(self) -> None:
        """Let the accountant sign in: sessions end as days go by."""
        self.accountant = self.town.world.signed_in(self.town.world.staff("accountant", school_id=self.id))

    def sends_again(self, here: str) -> tuple[int, str]:
        """Let the accountant send the link once more; return status and words."""
        self.signs_in()
        answer = self.accountant.post(f"{here}/gui", data=form(self.accountant, here))
        return answer.status_code, html.unescape(answer.text)

    def drafts(self, number: int) -> str:
        """Let a child apply; return the path of its contract."""
        child = CHILD | {"ho_ten": f"Trần Thị {'ABCDEFGH'[number]}", "dien_thoai": f"0912 345 60{number}"}
        return send(self.accountant, ROOT, ROOT, **child, **WANTED, mau=str(self.version_id))

    def opens(self, here: str, days: int = 10) -> str:
        """Let the accountant make the link; return its path."""
        until = f"{self.town.world.clock().date() + timedelta(days=days)}"
        send(self.accountant, here, f"{here}/duong-dan", tra_loi=until, han=until)
        found = re.findall(r'href="http://127\.0\.0\.1:8000(/hd/[A-Za-z0-9_-]{22})"', self.accountant.get(here).text)
        assert len(found) == 1
        return str(found[0])


@pytest.fixture(scope="module")
def town(
    clean_databases: CleanDatabases, servers: TestServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    with open_town(clean_databases, servers, tmp_path_factory.mktemp("town")) as opened:
        yield opened


@pytest.fixture(scope="module")
def school(town: Town) -> Place:
    made = make_private_school(town.world.collecting.database, town.world.wiring.vault)
    place = Place(**vars(made))
    place.town = town
    place.signs_in()
    return place


def boxes(page: str) -> tuple[str, str]:
    """Return what is ticked to agree, and the first contact."""
    digest, contact = (re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("dong_y", "lien_lac"))
    assert digest
    assert contact
    return digest[1], contact[1]


def asks(browser: Visitor, link: str) -> str:
    """Read, tick and ask for the code; return the path of its page."""
    digest, contact = boxes(browser.reads(link))
    answer = browser.sends(link, dong_y=digest, lien_lac=contact)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def kept(town: Town, here: str) -> ContractAgreement | None:
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        return session.get(ContractAgreement, UUID(here.rpartition("/")[2]))


def test_a_family_reads_everything_and_agrees_with_a_code(town: Town, school: Place) -> None:
    here = school.drafts(0)
    link, browser = school.opens(here), town.visitor()
    shown = browser.reads(link)
    assert "Trần Thị A" not in shown, "a forwarded link names no child"
    assert "checked" not in shown
    for said in (
        "2.500.000 đ", "9.500.000 đ", "Tháng đã bắt đầu là tháng đã học", "tháng học thứ 1 (02/2026)", "4.987.500 đ",
        "Ví dụ: đã nộp 9.500.000 đ", "Phí chậm nộp: sau 10 ngày ân hạn", "tối đa 500.000 đ", "Điều 1. …",
    ):  # fmt: skip
        assert said in shown.replace("\N{NO-BREAK SPACE}", " ")
    digest, contact = boxes(shown)
    assert browser.sends(link, lien_lac=contact).status_code == 422, "nothing ticked"
    assert browser.sends(link, link, dong_y="00" * 32, lien_lac=contact).status_code == 409
    assert browser.sends(link, link, dong_y=digest, lien_lac="999999").status_code == 404
    assert kept(town, here) is None
    form_ = asks(browser, link)
    code = town.code()
    wrong = browser.sends(form_, form_, ma="000000" if code != "000000" else "111111")
    assert wrong.status_code == 422
    assert kept(town, here) is None
    assert browser.sends(form_, form_, ma=code).headers["location"] == link
    assert browser.sends(form_, ma=code).status_code == 409, "a code is right once"
    found = kept(town, here)
    assert found is not None
    assert (found.version_id, found.words_sha256.hex(), found.at) == (school.version_id, digest, town.world.clock())
    assert found.words.startswith("Hợp đồng dịch vụ giáo dục – HD2526-00001\n")
    assert found.contact_masked == "09•• ••• 600"
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        step = session.exec(select(ContractStep).where(ContractStep.contract_id == found.contract_id)).one()
        assert (step.kind, step.way, step.made_by, step.facts["confirmed"]) == ("agreed", "code", None, digest)
        assert session.get_one(Bill, step.bill_id).family_due == Money(2_000_000)

    agreed = browser.reads(link)
    assert "Gia đình đã đồng ý" in agreed
    assert "Ví dụ: đã nộp 9.500.000" in agreed.replace("\N{NO-BREAK SPACE}", " ")
    pay = re.search(r'href="(/t/[A-Za-z0-9_-]{22})"', agreed)
    assert pay
    assert "Tiền giữ chỗ" in browser.reads(pay[1])
    office = school.accountant.get(here).text
    for said in ("Gia đình đã đồng ý bằng mã", "Trần Văn Cha", found.contact_masked, digest, "gia đình, bằng mã"):
        assert said in office
    assert "Tạo đường dẫn" not in office


def test_what_changed_after_the_code_was_asked_for_is_not_agreed_to(town: Town, school: Place) -> None:
    here = school.drafts(1)
    link, browser = school.opens(here), town.visitor()
    page = asks(browser, link)
    code = town.code()

    def dearer(session: Session) -> None:
        item = find_item(session, school.id, "HOCPHI-KY")
        change = text("UPDATE fee_prices SET valid_to = valid_to, withdrawn_at = now() WHERE item_id = :item")
        copy = text(
            "INSERT INTO fee_prices (school_id, item_id, amount, quantity_rule, quantity, levels, grades, class_codes,"
            " part_month, valid_from, valid_to) SELECT school_id, item_id, amount + 100000, quantity_rule, quantity,"
            " levels, grades, class_codes, part_month, valid_from, valid_to FROM fee_prices WHERE item_id = :item"
        )
        for each in (copy, change):
            session.execute(each, {"item": item.id})
        session.execute(
            text(
                "UPDATE fee_prices SET withdrawn_at = NULL"
                " WHERE item_id = :item AND amount = (SELECT max(amount) FROM fee_prices WHERE item_id = :item)"
            ),
            {"item": item.id},
        )

    town.world.change(dearer)
    stale = browser.sends(page, page, ma=code)
    assert stale.status_code == 409
    assert f'href="{link}"' in stale.text
    assert kept(town, here) is None
    assert "9.880.000 đ" in browser.reads(link).replace("\N{NO-BREAK SPACE}", " ")


def test_another_version_asks_anew_and_a_paper_closes_the_link(town: Town, school: Place) -> None:
    today = f"{town.world.clock().date()}"
    here = school.drafts(2)
    old, browser = school.opens(here), town.visitor()
    page = asks(browser, old)
    code = town.code()
    send(school.accountant, f"{here}?ngay={today}", f"{here}/khong-nhap-hoc", ngay=today, ly_do="Lập lại theo mẫu mới")
    assert browser.sends(page, page, ma=code).status_code == 409
    with school.open() as session:
        pupil = find_contract(session, school.id, UUID(here.rpartition("/")[2])).pupil_id
        version = new_version(session, school, code="HD-MOI")
        from_ = session.exec(
            select(Contact)
            .join(Guardianship, col(Guardianship.guardian_id) == col(Contact.guardian_id))
            .where(Guardianship.pupil_id == pupil)
        ).all()
    assert from_ == [], "a child that does not come is no longer seen with its guardian"
    school.version_id = version.id
    fresh = school.drafts(3)
    link = school.opens(fresh)
    assert link != old
    assert "Mẫu hợp đồng HD-MOI" in browser.reads(link)
    digest, contact = boxes(browser.reads(link))
    assert browser.sends(old, link, dong_y=digest, lien_lac=contact).status_code == 409, "the old one is over"
    newer = school.opens(fresh)
    browser.reads(link, 404)
    page, code = asks(browser, newer), town.code()
    fields = form(school.accountant, fresh, ngay=today, han="2026-01-31")
    assert school.accountant.post(f"{fresh}/ky", data=fields, files={"tep": SIGNED}).status_code == 303
    assert browser.sends(page, ma=code).status_code == 409
    assert "Ký trên giấy" in browser.reads(newer)
    assert kept(town, fresh) is None


def test_the_time_to_answer_ends_and_days_that_cannot_be_are_refused(town: Town, school: Place) -> None:
    here = school.drafts(4)
    today = town.world.clock().date()
    yesterday, late = today - timedelta(days=1), today + timedelta(days=61)
    for until, due in ((yesterday, today), (late, late), (today, yesterday)):
        fields = form(school.accountant, here, tra_loi=f"{until}", han=f"{due}")
        assert school.accountant.post(f"{here}/duong-dan", data=fields).status_code == 422
    link, browser = school.opens(here, 2), town.visitor()
    page = asks(browser, link)
    town.world.clock.now += timedelta(days=3)
    assert browser.sends(page, ma=town.code()).status_code == 422
    assert "hết hạn trả lời" in browser.reads(link)
    town.world.clock.now += contract_links.READABLE
    browser.reads(link, 404)
    assert kept(town, here) is None


def invitations(town: Town, after: int = 0) -> list[Delivered]:
    """Return the invitations to a contract that came to phones, but for the first ones."""
    ours = TEMPLATE_IDS[Kind.CONTRACT_OFFERED, "vi"]
    return [got for got in town.zalo.delivered if got.template_id == ours][after:]


def test_the_link_goes_to_the_guardian_and_again_but_not_all_day_long(town: Town, school: Place) -> None:
    """By Zalo with the page's own button; tomorrow once more; never after the answer, and never a sum in it."""
    school.signs_in()
    clock = town.world.clock
    here, started = school.drafts(5), clock.now
    before = len(invitations(town))
    link = school.opens(here)
    assert "đang gửi" in school.accountant.get(here).text
    town.tell()
    [got] = invitations(town, before)
    assert got.button == ["Đọc và trả lời", f"http://127.0.0.1:8000{link}"]
    assert got.phone == "84912345605"
    assert dict(got.rows)["Trả lời đến hết"] == f"{clock().date() + timedelta(days=10):%d/%m/%Y}"
    said = json.dumps(asdict(got), ensure_ascii=False)
    tells_nothing(said, "an invitation by Zalo")
    assert not re.search(r"\d{1,3}\.\d{3}", said), "no sum on a locked screen"
    assert "gia đình đã nhận tin" in school.accountant.get(here).text
    status, said = school.sends_again(here)
    assert (status, "Hôm nay đã gửi tin" in said) == (409, True)
    for day in (1, 2):
        clock.now = started + timedelta(days=day)
        assert school.sends_again(here)[0] == 303
        town.tell()
    assert len(invitations(town, before)) == 3
    clock.now = started + timedelta(days=3)
    status, said = school.sends_again(here)
    assert (status, "Đã gửi 3 lần" in said) == (409, True)
    renewed = school.opens(here)
    town.tell()
    assert invitations(town)[-1].button[1].endswith(renewed), "a new link is another thing to tell"
    clock.now = started
    school.signs_in()


def test_an_answer_before_the_message_leaves_it_unsent_and_a_night_may_be_too_late(town: Town, school: Place) -> None:
    clock, started = town.world.clock, town.world.clock.now
    clock.now = started.replace(hour=15)  # 22:00 in Viet Nam
    school.signs_in()
    signed, late = school.drafts(6), school.drafts(7)
    school.opens(signed)
    school.opens(late, days=0)
    before = len(invitations(town))
    town.tell()
    assert invitations(town, before) == [], "no phone rings at night"
    assert "không cần gửi nữa" in school.accountant.get(late).text, "tomorrow it is too late to answer"
    paper = {"ngay": f"{clock().date()}", "han": f"{clock().date() + timedelta(days=10)}"}
    answer = school.accountant.post(
        f"{signed}/ky", data=form(school.accountant, signed, **paper), files={"tep": SIGNED}
    )
    assert answer.status_code == 303
    clock.now = started + timedelta(days=1)
    town.tell()
    assert invitations(town, before) == [], "who has signed is asked no more"
    clock.now = started
    school.signs_in()
