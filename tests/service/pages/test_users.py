"""Accounts of staff as the school lives them: two people give rights, and neither can sign in as the third."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.people.tables import Authority
from billing.vault import Vault
from service.access.staff_tables import StaffDecision, StaffRequest
from service.access.tables import RoleGrant, StaffSession, User
from service.access.token_tables import ApiToken
from service.database import EVERYTHING, Database, Scope
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.schools import YEAR_STARTS, make_school
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.test_fee_pages import post
from tests.service.pages.visiting import Visitor
from tests.service.pages.worlds import PASSWORD, make_staff

HALF = re.compile(r'<code class="code token">([0-9a-z-]+)</code>')
CASHIER = {
    "ten_dang_nhap": "Dao.PT",
    "ho_ten": "Phạm Thị Đào",
    "vai_tro": "cashier",
    "tu": "2025-10-01",
    "ly_do": "Quyết định 12/QĐ ngày 01/10/2025",
}
OWN = "một câu dài dễ nhớ của tôi"


@dataclass
class Staff:
    """The school with its two people and what they see."""

    fresh: Fresh
    accountant: TestClient
    approver: TestClient

    def request(self) -> UUID:
        """Return the newest request."""
        return self.fresh.read(lambda session: session.exec(select(StaffRequest.id)).all())[-1]

    def user(self, login: str) -> User:
        return self.fresh.read(lambda session: session.exec(select(User).where(User.login == login)).one())

    def grants(self, login: str) -> list[RoleGrant]:
        user = self.user(login)
        query = select(RoleGrant).where(RoleGrant.user_id == user.id).order_by(col(RoleGrant.id))
        return list(self.fresh.read(lambda session: session.exec(query).all()))

    def deeds(self) -> list[str]:
        return list(self.fresh.read(lambda session: session.exec(select(AuditEntry.action)).all()))

    def agree(self, client: TestClient) -> tuple[int, str]:
        return post(client, f"/nguoi-dung/yeu-cau/{self.request()}/dong-y")

    def give(self, **fields: str) -> str:
        """Let the accountant ask and the approver agree; return the first password, if one came with it."""
        status, asked = post(self.accountant, "/nguoi-dung", **{**CASHIER, **fields})
        assert status == 200, asked
        status, agreed = self.agree(self.approver)
        assert status == 200, agreed
        return "-".join([*HALF.findall(asked), *HALF.findall(agreed)])


@pytest.fixture
def staff(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Staff:
    fresh = fresh_school(database, addresses, vault, servers)
    return Staff(fresh, fresh.client(fresh.accountant), fresh.client(fresh.approver))


def signs_in(fresh: Fresh, login: str, password: str) -> str | None:
    """Try a password on the sign-in page; return where it leads, or nothing."""
    visitor = Visitor(fresh.app())
    answer = visitor.sends("/dang-nhap", "/dang-nhap", login=login, password=password)
    return answer.headers.get("location") if answer.status_code == 303 else None


def test_the_accountant_asks_the_head_agrees_and_only_the_new_cashier_knows_the_password(staff: Staff) -> None:
    status, asked = post(staff.accountant, "/nguoi-dung", **CASHIER)
    assert status == 200
    [first] = HALF.findall(asked)
    assert "Nửa đầu" in asked
    assert staff.grants("dao.pt") == [], "asking gives nothing"
    assert HALF.findall(staff.accountant.get("/nguoi-dung").text) == [], "shown once"
    assert staff.agree(staff.accountant)[0] == 403, "the accountant agrees to nothing"
    status, agreed = staff.agree(staff.approver)
    assert status == 200
    [second] = HALF.findall(agreed)
    for part in (first, second, f"{second}-{first}"):
        assert signs_in(staff.fresh, "dao.pt", part) is None
    assert signs_in(staff.fresh, "Dao.pt", f"{first}-{second}") is not None
    [grant] = staff.grants("dao.pt")
    assert (grant.granted_by, grant.confirmed_by) == (staff.fresh.accountant.id, staff.fresh.approver.id)
    assert staff.user("dao.pt").must_change_password
    assert staff.deeds() == ["staff.ask_role", "staff.granted"]
    page = staff.accountant.get("/nguoi-dung").text
    assert "Chưa đổi mật khẩu lần đầu" in page
    assert "Lê Thị accountant, Lê Thị approver" in page


def test_the_first_password_opens_nothing_but_its_own_change(staff: Staff) -> None:
    password = staff.give()
    visitor = Visitor(staff.fresh.app())
    visitor.sends("/dang-nhap", "/dang-nhap", login="dao.pt", password=password)
    assert visitor.client.get("/van-phong/hoan-tien").status_code in {303, 403}
    visitor.reads("/doi-mat-khau")
    assert visitor.sends("/doi-mat-khau", old=password, new=OWN).status_code == 303
    assert visitor.client.get("/van-phong/hoan-tien").status_code == 200
    assert signs_in(staff.fresh, "dao.pt", password) is None
    assert signs_in(staff.fresh, "dao.pt", OWN) == "/toi"


def test_a_half_is_sealed_in_the_database(staff: Staff) -> None:
    _, asked = post(staff.accountant, "/nguoi-dung", **CASHIER)
    [half] = HALF.findall(asked)
    dump = staff.fresh.read(lambda s: s.execute(text("SELECT CAST(r AS text) FROM staff_requests r")).scalar_one())
    assert half not in dump
    assert half.encode().hex() not in dump


def test_nobody_asks_or_agrees_for_herself_and_nothing_is_decided_twice(staff: Staff) -> None:
    fresh = staff.fresh
    own = {"ten_dang_nhap": fresh.accountant.login, "ho_ten": fresh.accountant.full_name, "vai_tro": "approver"}
    assert post(staff.accountant, "/nguoi-dung", **{**CASHIER, **own})[0] == 403
    heads = {"ten_dang_nhap": fresh.approver.login, "ho_ten": fresh.approver.full_name, "vai_tro": "auditor"}
    assert post(staff.accountant, "/nguoi-dung", **{**CASHIER, **heads})[0] == 200
    assert staff.agree(staff.approver)[0] == 403, "it is for herself"
    assert post(staff.accountant, "/nguoi-dung", **{**CASHIER, **heads})[0] == 409, "asked for already"
    refused = f"/nguoi-dung/yeu-cau/{staff.request()}/tu-choi"
    assert post(staff.accountant, refused, ly_do=" ")[0] == 422
    assert post(staff.accountant, refused, ly_do="Nhầm người")[0] == 200
    assert post(staff.accountant, refused, ly_do="Nhầm người")[0] == 409
    assert post(staff.approver, "/nguoi-dung", **CASHIER)[0] == 200
    assert staff.agree(staff.approver)[0] == 403, "she asked for it"
    assert [grant.role for grant in staff.grants(fresh.approver.login)] == ["approver"]


def test_the_database_itself_refuses_one_person_alone_and_a_role_that_grows(staff: Staff) -> None:
    staff.give(den="2025-12-31")
    [grant] = staff.grants("dao.pt")
    fresh = staff.fresh
    post(staff.accountant, "/nguoi-dung", **{**CASHIER, "vai_tro": "auditor"})
    values = {
        "request": staff.request(),
        "school": fresh.school.id,
        "asker": fresh.accountant.id,
        "head": fresh.approver.id,
        "user": grant.user_id,
        "id": grant.id,
    }
    yes = "INSERT INTO staff_decisions (request_id, school_id, verdict, reason, decided_by, at) VALUES "
    for statement in (
        f"{yes} (:request, :school, 'granted', '', :asker, now())",
        f"{yes} (:request, :school, 'granted', '', :user, now())",
        (
            "INSERT INTO role_grants (user_id, role, school_id, valid_from, granted_by) "
            "VALUES (:user, 'approver', :school, '2025-10-01', :asker)"
        ),
        "UPDATE role_grants SET valid_to = NULL WHERE id = :id",
        "UPDATE role_grants SET valid_to = '2026-05-31' WHERE id = :id",
        "DELETE FROM role_grants WHERE id = :id",
        "UPDATE staff_requests SET asked_by = :head",
    ):
        used = {key: value for key, value in values.items() if f":{key}" in statement}
        with pytest.raises(DBAPIError), fresh.wiring.database.transaction(EVERYTHING) as session:
            session.execute(text(statement), used)


def test_a_class_teacher_is_made_at_once_and_sees_no_money(staff: Staff) -> None:
    teacher = {**CASHIER, "ten_dang_nhap": "hoa.vt", "ho_ten": "Vũ Thị Hoa", "vai_tro": "class_teacher"}
    status, page = post(staff.accountant, "/nguoi-dung", **teacher)
    assert status == 200
    [password] = HALF.findall(page)
    assert signs_in(staff.fresh, "hoa.vt", password) is not None
    assert staff.fresh.read(lambda session: session.exec(select(StaffRequest)).all()) == []


def test_who_knew_a_teachers_password_does_not_know_the_accountants(staff: Staff) -> None:
    """The accountant made the teacher alone, so the password that comes with a money role is a new one, in halves."""
    teacher = {**CASHIER, "vai_tro": "class_teacher"}
    [known] = HALF.findall(post(staff.accountant, "/nguoi-dung", **teacher)[1])
    password = staff.give()
    assert signs_in(staff.fresh, "dao.pt", known) is None
    assert signs_in(staff.fresh, "dao.pt", password) is not None
    # A second role with money changes nothing any more: the password is her own by now.
    assert staff.give(vai_tro="auditor") == ""
    assert signs_in(staff.fresh, "dao.pt", password) is not None


def test_one_person_alone_never_knows_the_password_of_a_role_that_waits(staff: Staff) -> None:
    """Asked for while she was trusted (so without halves), agreed to when the accountant could have her password."""
    fresh = staff.fresh
    staff.give(vai_tro="auditor")
    user = staff.user("dao.pt")
    status, asked = post(staff.accountant, "/nguoi-dung", **{**CASHIER, "vai_tro": "approver"})
    assert (status, HALF.findall(asked)) == (200, [])
    role = staff.request()
    [auditor] = staff.grants("dao.pt")
    yesterday = (fresh.wiring.clock() + timedelta(hours=7)).date() - timedelta(days=1)
    ended = post(staff.approver, f"/nguoi-dung/vai-tro/{auditor.id}/ket-thuc", ngay=yesterday.isoformat())
    assert ended[0] == 200
    reset = post(staff.accountant, f"/nguoi-dung/{user.id}/mat-khau", ly_do="Quên mật khẩu")
    assert reset[0] == 200
    assert "Nửa đầu" in reset[1], "two people, for she holds no role at all"
    status, page = post(staff.approver, f"/nguoi-dung/yeu-cau/{role}/dong-y")
    assert (status, "Hãy từ chối rồi đề nghị lại" in page) == (409, True)
    assert [grant.role for grant in staff.grants("dao.pt")] == ["auditor"]
    assert post(staff.approver, f"/nguoi-dung/yeu-cau/{role}/tu-choi", ly_do="Đề nghị lại")[0] == 200
    password = staff.give(vai_tro="approver")
    assert signs_in(fresh, "dao.pt", password) is not None


def test_a_teacher_for_whom_a_role_waits_gets_a_new_password_from_two(staff: Staff) -> None:
    [known] = HALF.findall(post(staff.accountant, "/nguoi-dung", **{**CASHIER, "vai_tro": "class_teacher"})[1])
    path = f"/nguoi-dung/{staff.user('dao.pt').id}/mat-khau"
    [alone] = HALF.findall(post(staff.accountant, path, ly_do="Quên mật khẩu")[1])
    assert signs_in(staff.fresh, "dao.pt", known) is None
    assert signs_in(staff.fresh, "dao.pt", alone) is not None
    post(staff.accountant, "/nguoi-dung", **CASHIER)
    status, page = post(staff.accountant, path, ly_do="Quên mật khẩu")
    assert (status, "Nửa đầu" in page) == (200, True)
    assert signs_in(staff.fresh, "dao.pt", alone) is not None, "nothing changes before another agrees"


def test_a_person_serves_two_schools_and_the_name_must_be_hers(staff: Staff) -> None:
    fresh = staff.fresh
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        province = session.exec(select(Authority).where(Authority.id == fresh.school.province_id)).one()
        other = make_school(session, province=province)
        shared = make_staff(session, "accountant", other.id, None)
    known = {"ten_dang_nhap": shared.login, "ho_ten": "Lê Thị Khác"}
    assert post(staff.accountant, "/nguoi-dung", **{**CASHIER, **known})[0] == 409
    assert staff.give(ten_dang_nhap=shared.login, ho_ten=shared.full_name) == "", "she has a password of her own"
    assert {grant.school_id for grant in staff.grants(shared.login)} == {fresh.school.id, other.id}
    assert signs_in(fresh, shared.login, PASSWORD) is not None
    # One school's two people must not get into the other school by way of her password.
    assert post(staff.accountant, f"/nguoi-dung/{shared.id}/mat-khau", ly_do="Quên mật khẩu")[0] == 200
    status, page = staff.agree(staff.approver)
    assert (status, "quyền ở nơi khác" in page) == (409, True)
    assert signs_in(fresh, shared.login, PASSWORD) is not None
    # The administrator above both may.
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        admin = make_staff(session, "admin", None, province.id)
    status, page = staff.agree(fresh.client(admin))
    assert status == 200
    assert len(HALF.findall(page)) == 1
    assert signs_in(fresh, shared.login, PASSWORD) is None


def test_a_forgotten_password_is_given_anew_by_two(staff: Staff) -> None:
    fresh = staff.fresh
    session_before = staff.accountant
    status, asked = post(staff.approver, f"/nguoi-dung/{fresh.accountant.id}/mat-khau", ly_do="Quên mật khẩu")
    assert status == 200
    assert post(staff.approver, f"/nguoi-dung/{fresh.approver.id}/mat-khau", ly_do="x")[0] == 403, "not one's own"
    assert staff.agree(staff.approver)[0] == 403
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        second = make_staff(session, "approver", fresh.school.id, None)
    status, agreed = staff.agree(fresh.client(second))
    assert status == 200
    assert session_before.get("/nguoi-dung").status_code == 303, "signed out everywhere"
    password = "-".join([*HALF.findall(asked), *HALF.findall(agreed)])
    assert signs_in(fresh, fresh.accountant.login, password) is not None
    assert signs_in(fresh, fresh.accountant.login, PASSWORD) is None


def test_a_role_ends_on_a_day_and_at_once_and_the_past_stays(staff: Staff) -> None:
    fresh = staff.fresh
    [grant] = staff.grants(fresh.accountant.login)
    today = (fresh.wiring.clock() + timedelta(hours=7)).date()
    path = f"/nguoi-dung/vai-tro/{grant.id}/ket-thuc"
    [own] = staff.grants(fresh.approver.login)
    assert post(staff.approver, f"/nguoi-dung/vai-tro/{own.id}/ket-thuc", ngay=today.isoformat())[0] == 403
    assert post(staff.accountant, path, ngay=today.isoformat())[0] == 403
    assert post(staff.approver, path, ngay=(today - timedelta(days=2)).isoformat())[0] == 422
    assert post(staff.approver, path, ngay=today.isoformat())[0] == 200
    assert staff.accountant.get("/van-phong").status_code == 200, "today is the last day"
    assert post(staff.approver, path, ngay=(today + timedelta(days=9)).isoformat())[0] == 409
    assert post(staff.approver, path, ngay=(today - timedelta(days=1)).isoformat())[0] == 200
    assert staff.accountant.get("/van-phong").status_code == 403
    [ended] = staff.grants(fresh.accountant.login)
    assert (ended.valid_from, ended.valid_to) == (YEAR_STARTS, today - timedelta(days=1))
    assert "đã thôi" in staff.approver.get("/nguoi-dung").text


def test_a_lost_phone_ends_sessions_and_tokens_at_once(staff: Staff) -> None:
    fresh = staff.fresh
    made = post(staff.accountant, "/toi/khoa", ten="Phần mềm", so_ngay="30", mat_khau=PASSWORD)[1]
    token = re.search(r"hp1_[A-Za-z0-9_-]{43}", made)
    assert token
    assert post(staff.approver, f"/nguoi-dung/{fresh.accountant.id}/dang-xuat")[0] == 200
    assert staff.accountant.get("/van-phong").status_code == 303
    api = TestClient(fresh.app())
    assert api.get("/api/v1/me", headers={"authorization": f"Bearer {token[0]}"}).status_code == 401
    [row] = fresh.read(lambda session: session.exec(select(ApiToken)).all())
    assert row.revoked_by == fresh.approver.id
    ended = fresh.read(lambda session: session.exec(select(StaffSession)).all())
    assert [each.ended_at is not None for each in ended if each.user_id == fresh.accountant.id] == [True]


def test_another_school_sees_and_decides_nothing(staff: Staff) -> None:
    fresh = staff.fresh
    post(staff.accountant, "/nguoi-dung", **CASHIER)
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        other = make_school(session)
        stranger = make_staff(session, "approver", other.id, None)
    client = fresh.client(stranger)
    page = client.get("/nguoi-dung").text
    assert "Phạm Thị Đào" not in page
    assert fresh.accountant.login not in page
    assert staff.agree(client)[0] == 404
    assert post(client, f"/nguoi-dung/{fresh.accountant.id}/dang-xuat")[0] == 404
    assert post(client, f"/nguoi-dung/{fresh.accountant.id}/mat-khau", ly_do="x")[0] == 404
    [grant] = staff.grants(fresh.accountant.login)
    today = fresh.wiring.clock().date().isoformat()
    assert post(client, f"/nguoi-dung/vai-tro/{grant.id}/ket-thuc", ngay=today)[0] == 404
    with fresh.wiring.database.transaction(Scope.of(other.id)) as session:
        assert session.exec(select(StaffRequest)).all() == []
        assert session.exec(select(StaffDecision)).all() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("ten_dang_nhap", "đào"), ("ten_dang_nhap", "a b"), ("ho_ten", " "), ("vai_tro", "admin"), ("vai_tro", ""),
     ("tu", ""), ("tu", "hôm nay"), ("den", "2025-09-30"), ("ly_do", " ")],
)  # fmt: skip
def test_what_is_typed_wrong_is_said_and_kept(staff: Staff, field: str, value: str) -> None:
    status, page = post(staff.accountant, "/nguoi-dung", **{**CASHIER, field: value})
    assert status == 422
    assert 'role="alert"' in page
    assert "Quyết định 12" in page or field == "ly_do"
    assert staff.fresh.read(lambda session: session.exec(select(StaffRequest)).all()) == []
