"""Tests of the office, the auditor and the province on real rows, and of who sees what."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest
from sqlalchemy import event, text
from sqlmodel import Session, select
from starlette.testclient import TestClient

from billing.fees.items import Span
from billing.rounds.drafting import RoundPlan, draft_round
from billing.rounds.tables import BillingRound
from reconciliation.tables import Feed, InboxMessage, InboxResult
from service.access.roles import Actor, may
from service.access.tables import AccessEvent, RoleGrant, StaffSession, User
from service.database import EVERYTHING
from service.jobs import rounds as round_jobs
from tests.factories.fees import weekdays
from tests.factories.rounds import make_billing_school
from tests.factories.schools import SCHOOL_YEAR
from tests.service.pages.worlds import PASSWORD, World


def form_token(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def sign_in(world: World, user: User, password: str = PASSWORD, **more: str) -> TestClient:
    client = world.client()
    token = form_token(client.get("/dang-nhap").text)
    answer = client.post("/dang-nhap", data={"csrf": token, "login": user.login, "password": password, **more})
    client.headers["x-last"] = f"{answer.status_code} {answer.headers.get('location')}"
    return client


def events(world: World) -> list[tuple[str, str]]:
    with world.collecting.database.transaction(EVERYTHING) as session:
        rows = session.exec(select(AccessEvent).order_by("id")).all()
    return [(row.action, row.outcome) for row in rows]


@pytest.mark.parametrize(
    ("role", "start"),
    [
        ("accountant", "/van-phong"),
        ("approver", "/van-phong"),
        ("auditor", "/kiem-toan"),
        ("province", "/tinh"),
        ("class_teacher", "/lop-chu-nhiem"),
        ("cashier", "/toi"),
        ("admin", "/nguoi-dung"),
    ],
)
def test_signing_in_leads_to_the_start_of_each_role(world: World, role: str, start: str) -> None:
    client = sign_in(world, world.staff(role))
    assert client.headers["x-last"] == f"303 {start}"
    assert client.get(start).status_code == 200
    assert events(world) == [("sign_in", "done")]


def test_a_wrong_password_is_refused_noted_and_opens_nothing(world: World) -> None:
    client = sign_in(world, world.staff("accountant"), "sai rồi nhé bạn ơi")
    assert client.headers["x-last"] == "401 None"
    assert client.get("/van-phong").status_code == 303
    assert events(world) == [("sign_in", "refused")]


def test_an_unknown_login_answers_like_a_wrong_password(world: World) -> None:
    known, unknown = world.staff("accountant"), User(login="ai.do", full_name="", password_hash="")
    pages = []
    for user in (known, unknown):
        client = world.client()
        token = form_token(client.get("/dang-nhap").text)
        answer = client.post("/dang-nhap", data={"csrf": token, "login": user.login, "password": "x"})
        pages.append((answer.status_code, answer.text.replace(user.login, "")))
    assert re.sub(r"[0-9a-f]{64}", "", pages[0][1]) == re.sub(r"[0-9a-f]{64}", "", pages[1][1])
    assert pages[0][0] == pages[1][0] == 401


def test_signing_out_ends_the_session_in_the_database(world: World) -> None:
    client = sign_in(world, world.staff("accountant"))
    cookie = dict(client.cookies)["hocphi"]
    token = form_token(client.get("/van-phong").text)
    assert client.post("/dang-xuat", data={"csrf": token}).status_code == 303
    client.cookies.set("hocphi", cookie)
    assert client.get("/van-phong").status_code == 303


def test_a_session_ends_after_15_idle_minutes_and_after_8_hours(world: World) -> None:
    user = world.staff("accountant")
    client, begun = world.signed_in(user), world.clock.now
    world.clock.now = begun + timedelta(minutes=16)
    assert client.get("/van-phong").status_code == 303
    world.clock.now = begun
    client = world.signed_in(user)
    for _ in range(48):
        world.clock.now += timedelta(minutes=9, seconds=59)
        assert client.get("/toi").status_code == 200
    world.clock.now = begun + timedelta(hours=8, seconds=1)
    assert client.get("/toi").status_code == 303


def test_a_disabled_account_is_out_at_the_next_request(world: World) -> None:
    user = world.staff("accountant")
    client = world.signed_in(user)
    assert client.get("/van-phong").status_code == 200
    world.change(lambda session: session.execute(text("UPDATE users SET disabled_at = now()")))
    assert client.get("/van-phong").status_code == 303
    assert sign_in(world, user).headers["x-last"] == "401 None"


def test_a_role_holds_from_its_first_to_its_last_day(world: World) -> None:
    user = world.staff("accountant")
    client = world.signed_in(user)
    world.change(lambda session: session.execute(text("UPDATE role_grants SET valid_to = '2025-10-05'")))
    assert client.get("/van-phong").status_code == 403
    assert ("not_allowed", "refused") in events(world)


def test_a_one_time_password_must_be_replaced_first(world: World) -> None:
    user = world.staff("accountant")
    world.change(lambda session: session.execute(text("UPDATE users SET must_change_password = true")))
    client = sign_in(world, user)
    answer = client.get("/van-phong")
    assert (answer.status_code, answer.headers["location"]) == (303, "/doi-mat-khau")
    token = form_token(client.get("/doi-mat-khau").text)
    other = world.signed_in(user)
    weak = client.post("/doi-mat-khau", data={"csrf": token, "old": PASSWORD, "new": "ngắn"})
    assert weak.status_code == 422
    wrong = client.post("/doi-mat-khau", data={"csrf": token, "old": "sai", "new": "một con vịt xòe hai cái cánh"})
    assert wrong.status_code == 401
    done = client.post("/doi-mat-khau", data={"csrf": token, "old": PASSWORD, "new": "một con vịt xòe hai cái cánh"})
    assert done.status_code == 303
    assert client.get("/van-phong").status_code == 200
    assert other.get("/toi").status_code == 303, "other sessions end"
    assert sign_in(world, user).headers["x-last"] == "401 None"
    assert sign_in(world, user, "một con vịt xòe hai cái cánh").headers["x-last"] == "303 /van-phong"


def test_signing_in_goes_on_to_the_page_wanted_but_never_elsewhere(world: World) -> None:
    user = world.staff("accountant")
    assert sign_in(world, user, tiep="/van-phong/thong-bao?q=a").headers["x-last"] == "303 /van-phong/thong-bao?q=a"
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "/a\nb"):
        assert sign_in(world, user, tiep=elsewhere).headers["x-last"] == "303 /van-phong"


def test_the_home_page_and_the_list_after_payments(world: World) -> None:
    first, second = world.collecting.requests[:2]
    world.collecting.hear_of(world.collecting.pays(first.reference, 500_000), world.collecting.pays("khong ma", 70_000))
    client = world.signed_in(world.staff("accountant"))
    home = client.get("/van-phong").text
    assert "570.000 đ" in home
    assert "70.000 đ" in home
    assert "Khớp" in home
    found = client.get("/van-phong/thong-bao", params={"q": f"NGUYEN {first.reference.lower()}"}).text
    assert first.reference in found
    assert second.reference not in found
    part = client.get("/van-phong/thong-bao", params={"trang_thai": "part_paid"}).text
    assert first.reference in part
    assert second.reference not in part
    waiting = client.get("/van-phong/cho-xu-ly").text
    assert "Không có mã nộp" in waiting
    assert "khong ma" in waiting


def test_a_suggestion_shows_the_candidate_with_its_reasons(world: World) -> None:
    reference = world.collecting.requests[0].reference
    wrong = reference[:-1] + ("2" if reference[-1] != "2" else "3")
    world.collecting.hear_of(world.collecting.pays(wrong, 500_000))
    text_ = world.signed_in(world.staff("accountant")).get("/van-phong/cho-xu-ly").text
    assert "Mã nộp sai hoặc thiếu ký tự" in text_
    assert f"Mã gần giống {reference}" in text_
    assert "Nguyễn Văn 1" in text_


def test_the_auditor_takes_the_report_and_that_is_logged(world: World) -> None:
    world.collecting.hear_of(world.collecting.pays(world.collecting.requests[0].reference, 500_000))
    client = world.signed_in(world.staff("auditor"))
    assert "500.000 đ" in client.get("/kiem-toan").text
    answer = client.get("/kiem-toan/bao-cao.xlsx", params={"tu": "2025-10-01", "den": "2025-10-31"})
    assert answer.status_code == 200
    assert "Tổng hợp" in openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames
    assert events(world) == [("export_report", "done")]


@pytest.mark.parametrize(
    "days",
    [
        {"tu": "2025-10-06", "den": "2025-10-01"},
        {"tu": "2020-01-01"},
        {"tu": "hôm nay"},
        {"tu": "0001-01-01", "den": "0001-01-01"},
        {"tu": "9999-12-01", "den": "9999-12-31"},
    ],
)
def test_a_period_that_makes_no_sense_is_refused(world: World, days: dict[str, str]) -> None:
    assert world.signed_in(world.staff("auditor")).get("/kiem-toan", params=days).status_code == 422


def test_the_province_sees_sums_of_schools_and_nobody(world: World) -> None:
    province = world.billing.school.province_id
    client = world.signed_in(world.staff("province", authority_id=province))
    text_ = client.get("/tinh").text
    assert world.billing.school.name in text_
    assert "Nguyễn Văn 1" not in text_
    assert world.collecting.requests[0].reference not in text_


def test_an_authority_s_auditor_reads_all_schools_below_and_no_other(world: World) -> None:
    with world.collecting.database.transaction(EVERYTHING) as session:
        stranger = make_billing_school(session, world.wiring.vault, pupils=1).school
    client = world.signed_in(world.staff("auditor", authority_id=world.billing.school.province_id))
    assert client.get("/van-phong", params={"truong": world.billing.school.code}).status_code == 200
    assert client.get("/van-phong", params={"truong": stranger.code}).status_code == 404


def test_another_school_s_ids_are_not_found(world: World) -> None:
    with world.collecting.database.transaction(EVERYTHING) as session:
        stranger = make_billing_school(session, world.wiring.vault, pupils=1).school
        round_id = session.exec(select(BillingRound.id)).one()
    for role in ("accountant", "approver", "auditor"):
        own = world.signed_in(world.staff(role))
        assert own.get(f"/van-phong/dot-thu/{round_id}").status_code == 200
        client = world.signed_in(world.staff(role, school_id=stranger.id))
        assert client.get(f"/van-phong/dot-thu/{round_id}").status_code == 404
        assert client.get("/van-phong", params={"truong": world.billing.school.code}).status_code == 404
        assert "Nguyễn Văn 2" not in client.get("/van-phong/thong-bao").text
        for step in ("xem-truoc", "trinh", "duyet"):
            path = f"/van-phong/dot-thu/{round_id}/{step}"
            assert post(client, path, digest="ab") == (404 if may_step(role, step) else 403)


def may_step(role: str, step: str) -> bool:
    return may(Actor(role), "POST", f"/van-phong/dot-thu/{{round_id}}/{step}")


def post(client: TestClient, path: str, **data: str | list[str]) -> int:
    token = form_token(client.get("/toi").text)
    return client.post(path, data={"csrf": token, **data}).status_code


def november(world: World) -> str:
    """Draft a round of November by the school's accountant; return its path."""
    days = Span(date(2025, 11, 1), date(2025, 11, 30))
    plan = RoundPlan(
        world.billing.id, SCHOOL_YEAR, "2025-11", "Tháng 11/2025", days, weekdays(days), date(2025, 11, 20)
    )
    with world.collecting.database.transaction(world.collecting.scope) as session:
        return f"/van-phong/dot-thu/{draft_round(session, world.billing.accountant, plan, world.clock()).id}"


def shown_digest(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]+)"', page)
    assert found
    return found[1]


def test_a_round_from_draft_to_issued_by_two_people(world: World) -> None:
    path, maker = november(world), world.signed_in(world.staff("accountant"))
    checker = world.signed_in(world.staff("approver"))
    assert post(maker, path + "/xem-truoc") == 303
    seen = maker.get(path).text
    assert "Đã xem trước" in seen
    assert post(maker, path + "/trinh", digest="00" * 32) == 409
    assert post(maker, path + "/trinh", digest=shown_digest(seen)) == 303
    waiting = checker.get(path).text
    assert "Duyệt và phát hành" in waiting
    assert "Duyệt và phát hành" not in maker.get(path).text
    digest = shown_digest(waiting)
    if 'name="dong_y"' in waiting:
        assert post(checker, path + "/duyet", digest=digest) == 422
    assert post(checker, path + "/duyet", digest=digest, dong_y=["0", "1", "2"]) == 303
    assert world.rung[-1] == "billing.issue_rounds"
    assert round_jobs.issue(world.wiring) == 1
    assert "Đã phát hành" in checker.get(path).text
    assert post(checker, path + "/duyet", digest=digest, dong_y=["0", "1", "2"]) == 409


def approved(world: World) -> tuple[str, TestClient, TestClient]:
    """Bring November up to the approver's yes; return its path, the maker and the approver."""
    path, maker = november(world), world.signed_in(world.staff("accountant"))
    checker = world.signed_in(world.staff("approver"))
    assert post(maker, path + "/xem-truoc") == 303
    digest = shown_digest(maker.get(path).text)
    assert post(maker, path + "/trinh", digest=digest) == 303
    assert post(checker, path + "/duyet", digest=digest, dong_y=["0", "1", "2"]) == 303
    return path, maker, checker


def test_an_approved_round_that_the_rules_refuse_says_why_and_can_be_calculated_anew(world: World) -> None:
    path, maker, checker = approved(world)
    assert "Tính lại" not in maker.get(path).text, "nothing is the matter yet"
    assert post(checker, path + "/thu-lai") == 409

    def leaves(session: Session) -> None:
        session.execute(
            text("UPDATE enrolments SET state = 'left', ended_on = started_on WHERE pupil_id = :pupil"),
            {"pupil": world.billing.pupils[0].id},
        )

    world.change(leaves)
    assert round_jobs.issue(world.wiring) == 0
    seen = maker.get(path).text
    assert "Đã duyệt, chưa phát hành được" in seen
    assert "xem trước và trình duyệt lại" in seen
    assert "Tính lại</button>" in seen
    assert "Tính lại</button>" not in checker.get(path).text, "calculating is the accountant's"
    assert "Thử lại</button>" in checker.get(path).text
    assert post(maker, path + "/xem-truoc") == 303
    again = maker.get(path).text
    assert "Đã xem trước" in again
    assert "chưa phát hành được" not in again
    assert post(maker, path + "/trinh", digest=shown_digest(again)) == 303
    assert post(checker, path + "/duyet", digest=shown_digest(again), dong_y=["0", "1", "2"]) == 303
    assert round_jobs.issue(world.wiring) == 1
    assert "Đã phát hành" in maker.get(path).text


def test_a_technical_fault_is_shown_and_the_round_can_be_tried_again_as_approved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, maker, checker = approved(world)

    def stumbles(*_: object) -> None:
        raise KeyError("BANTRU")

    with monkeypatch.context() as patch:
        patch.setattr(round_jobs, "issue_round", stumbles)
        assert round_jobs.issue(world.wiring) == 0
    assert "Lỗi kỹ thuật (KeyError) ở lần thử 1" in maker.get(path).text
    world.rung.clear()
    assert post(checker, path + "/thu-lai") == 303
    assert world.rung == ["billing.issue_rounds"]
    assert "Lỗi kỹ thuật" not in maker.get(path).text
    assert round_jobs.issue(world.wiring) == 1
    assert "Đã phát hành" in maker.get(path).text
    assert post(checker, path + "/thu-lai") == 409


def test_who_made_a_round_cannot_approve_it_with_another_role(world: World) -> None:
    user = world.staff("accountant")
    grant = RoleGrant(user_id=user.id, role="approver", school_id=world.billing.id, valid_from=date(2025, 9, 1))
    world.change(lambda session: session.add(grant))
    client, path = world.signed_in(user), november(world)
    assert post(client, path + "/xem-truoc") == 303
    digest = shown_digest(client.get(path).text)
    assert post(client, path + "/trinh", digest=digest) == 303
    assert post(client, path + "/duyet", digest=digest, dong_y=["0", "1", "2"]) == 403
    assert world.rung == []


def test_a_broken_commit_is_a_500_and_nothing_is_stored(world: World) -> None:
    user = world.staff("accountant")
    client = world.client()
    token = form_token(client.get("/dang-nhap").text)

    def broken(_: Session) -> None:
        raise ConnectionError("the commit broke")

    event.listen(Session, "before_commit", broken)
    try:
        answer = client.post("/dang-nhap", data={"csrf": token, "login": user.login, "password": PASSWORD})
    finally:
        event.remove(Session, "before_commit", broken)
    assert answer.status_code == 500
    assert "hocphi" not in answer.cookies
    with world.collecting.database.transaction(EVERYTHING) as session:
        assert session.exec(select(StaffSession)).all() == []


def test_grants_of_nobody_open_nothing(world: World) -> None:
    user = world.staff("accountant")
    world.change(lambda session: session.execute(text("UPDATE role_grants SET valid_to = '2025-09-02'")))
    client = world.signed_in(user)
    assert {client.get(path).status_code for path in ("/van-phong", "/kiem-toan", "/tinh", "/toi")} == {403}
    world.change(
        lambda session: session.add(
            RoleGrant(user_id=user.id, role="auditor", school_id=world.billing.id, valid_from=world.clock.now.date())
        )
    )
    assert client.get("/kiem-toan").status_code == 200


def test_what_the_bank_sent_and_nobody_can_read_is_told(world: World) -> None:
    accountant = world.signed_in(world.staff("accountant"))
    assert "không đọc được" not in accountant.get("/van-phong").text
    now = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)
    with world.collecting.database.transaction(EVERYTHING) as session:
        feed = session.exec(select(Feed)).first()
        assert feed is not None
        message = InboxMessage(feed_id=feed.id, digest=b"1", body_sealed=b"?", headers={}, received_at=now)
        session.add(message)
        session.flush()
        assert message.id is not None
        session.add(InboxResult(inbox_id=message.id, outcome="quarantined", reason="lạ", at=now))
    assert "1 thông báo của ngân hàng không đọc được" in accountant.get("/van-phong").text
