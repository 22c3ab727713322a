"""Leaving, another class and the last grade as the office clicks through them, on real rows."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.money import Money
from billing.people.tables import ClassPlacement, Enrolment
from tests.factories.schools import make_class, make_pupil
from tests.service.pages.test_claims import form, send
from tests.service.pages.test_leftovers import pay_and_lower
from tests.service.pages.worlds import World

MOVING, LAST = "/van-phong/chuyen-di", "/van-phong/cuoi-cap"
MEAL = Money(32_000)


@pytest.fixture
def people(world: World) -> dict[str, TestClient]:
    return {role: world.signed_in(world.staff(role)) for role in ("accountant", "approver")}


def test_a_pupil_leaves_is_given_back_and_never_deleted(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver = people["accountant"], people["approver"]
    world.change(lambda session: pay_and_lower(world, session, 0, 2))
    child, today = world.billing.pupils[0], world.clock().date()
    pupil = f"{MOVING}/hoc-sinh/{child.enrolment.id}"
    assert "Không xóa được học sinh" in accountant.get(MOVING).text
    assert pupil in accountant.get(f"{MOVING}?q={child.pupil.full_name}").text
    shown = accountant.get(f"{pupil}?ngay={today}&viec=transferred_out").text
    told = re.search(r"trả lại <strong class=\"nowrap\">([0-9.]+) đ", shown)
    assert told, shown
    here = send(
        accountant,
        f"{pupil}?ngay={today}",
        f"{pupil}/nghi",
        ngay=f"{today}",
        viec="transferred_out",
        ly_do="Chuyển nhà",
    )
    waiting = accountant.get(here).text
    assert "Trừ và đề nghị hoàn" not in waiting
    correction = re.search(r'href="(/van-phong/dieu-chinh/[0-9a-f-]+)', waiting)
    assert correction
    assert "Ghi giảm vì học sinh đã nghỉ học" in approver.get(correction[1]).text
    send(approver, correction[1], f"{correction[1]}/duyet")
    refund = send(accountant, here, f"{here}/tinh")
    assert told[1] in accountant.get(refund).text
    assert "không còn học" in accountant.get(pupil).text
    taken_back = form(accountant, MOVING, ly_do="Đổi ý")
    assert accountant.post(f"{here}/rut-lai", data=taken_back).status_code == 409
    assert "Đã nghỉ" in accountant.get(MOVING).text
    assert world.client().get(world.link(0)).status_code == 200, "the family's link goes on working"
    for past in ("/van-phong/thong-bao", "/van-phong/tien-ton"):
        assert child.pupil.full_name in accountant.get(past).text, "past lists still show who left"


def test_a_mistake_is_taken_back_on_the_page(world: World, people: dict[str, TestClient]) -> None:
    accountant = people["accountant"]
    child, today = world.billing.pupils[1], world.clock().date()
    pupil = f"{MOVING}/hoc-sinh/{child.enrolment.id}"
    here = send(accountant, f"{pupil}?ngay={today}", f"{pupil}/nghi", ngay=f"{today}", viec="left", ly_do="Nhầm")
    back = send(accountant, here, f"{here}/rut-lai", ly_do="Ghi nhầm em")
    assert "Đã rút lại" in accountant.get(back).text
    assert "Chuyển lớp trong trường" in accountant.get(pupil).text
    bad = accountant.get(f"{pupil}?ngay=2024-01-01").text
    assert "trước ngày vào học" in bad


def test_pupil_changes_class_and_the_bill_goes_along(world: World, people: dict[str, TestClient]) -> None:
    accountant = people["accountant"]
    child = world.billing.pupils[1]
    made: list[str] = []
    world.change(lambda session: made.append(str(make_class(session, world.billing.school, "1B").id)))
    pupil = f"{MOVING}/hoc-sinh/{child.enrolment.id}"
    there = send(accountant, pupil, f"{pupil}/doi-lop", lop=made[0], tu="2025-10-07", ly_do="Chia lại lớp")
    assert "Đã ghi lớp mới" in accountant.get(f"{there}?da=doi-lop").text
    again = form(accountant, pupil, lop=made[0], tu="2025-10-08", ly_do="Chia lại lớp")
    assert accountant.post(f"{pupil}/doi-lop", data=again).status_code == 422

    def placed(session: Session) -> None:
        rows = session.exec(
            select(ClassPlacement)
            .where(ClassPlacement.enrolment_id == child.enrolment.id)
            .order_by(col(ClassPlacement.valid_from))
        ).all()
        assert [row.valid_to for row in rows] == [date(2025, 10, 6), None]
        assert session.get_one(Enrolment, child.enrolment.id).state == "studying"

    world.change(placed)
    listed = " ".join(accountant.get("/van-phong/thong-bao").text.split())
    row = re.search(rf"<tr[^>]*>(?:(?!</tr>).)*{child.pupil.full_name}(?:(?!</tr>).)*</tr>", listed)
    assert row, listed
    assert ("1A" in row[0], "1B" in row[0]) == (True, False), "October's lists keep the class of October"


def test_the_last_grade_gets_everything_back_in_one_request(world: World, people: dict[str, TestClient]) -> None:
    accountant = people["accountant"]
    assert "không có lớp cuối cấp" in accountant.get(LAST).text

    def graduate(session: Session) -> None:
        pay_and_lower(world, session, 0, 2)
        fifth = make_class(session, world.billing.school, "5A", grade=5)
        for child in world.billing.pupils:
            session.add(
                ClassPlacement(
                    school_id=world.billing.id,
                    enrolment_id=child.enrolment.id,
                    class_id=fifth.id,
                    valid_from=date(2025, 9, 2),
                )
            )

    world.change(graduate)
    page = accountant.get(LAST).text
    group = re.search(r'name="lop" value="([0-9a-f-]+)" checked', page)
    assert group
    refund = send(accountant, LAST, LAST, lop=group[1], ly_do="Học sinh ra trường")
    assert str(2 * MEAL) in accountant.get(refund).text
    nothing = form(accountant, LAST, lop=group[1], ly_do="Lần nữa")
    assert accountant.post(LAST, data=nothing).status_code == 422


def test_who_came_late_is_led_to_the_rounds_without_a_bill_for_it(world: World, people: dict[str, TestClient]) -> None:
    """The child came on 10 October, after October's round was issued; its classmates miss nothing."""
    made = []

    def arrive(session: Session) -> None:
        old = world.billing.pupils[0]
        province = world.billing.school.province_id
        made.append(
            make_pupil(session, old.class_group, "Lê Mới Đến", province_id=province, started_on=date(2025, 10, 10))
        )

    world.change(arrive)
    late = people["accountant"].get(f"{MOVING}/hoc-sinh/{made[0].enrolment.id}").text
    found = re.search(r'<h2>Thu bù</h2>.*?href="(/van-phong/dot-thu/[0-9a-f-]+)', late, re.DOTALL)
    assert found, late
    assert "Đợt thu bổ sung" in people["accountant"].get(found[1]).text
    assert "Thu bù" not in people["accountant"].get(f"{MOVING}/hoc-sinh/{world.billing.pupils[0].enrolment.id}").text


def test_who_left_comes_back_in_one_step_and_the_missed_round_is_named(
    world: World, people: dict[str, TestClient]
) -> None:
    accountant, approver = people["accountant"], people["approver"]
    child, today = world.billing.pupils[0], world.clock().date()
    pupil = f"{MOVING}/hoc-sinh/{child.enrolment.id}"
    last = f"{today - timedelta(days=2)}"
    here = send(accountant, f"{pupil}?ngay={last}", f"{pupil}/nghi", ngay=last, viec="left", ly_do="Chuyển nhà")
    assert "Ghi nhập học lại" not in accountant.get(here).text, "corrections wait"
    for correction in re.findall(r'href="(/van-phong/dieu-chinh/[0-9a-f-]+)', accountant.get(here).text):
        send(approver, correction, f"{correction}/duyet")
    shown = accountant.get(here).text
    assert "Ghi nhập học lại" in shown
    assert not re.search(r'name="khoan"[^>]*checked', shown), "nothing is ticked beforehand"
    group = str(child.class_group.id)
    again = send(
        accountant, here, f"{here}/nhap-hoc-lai", lop=group, tu=f"{today}", ly_do="Gia đình chuyển về", khoan="TIENAN"
    )
    assert again.startswith(f"{MOVING}/hoc-sinh/")
    page = accountant.get(f"{again}?da=hoc-lai").text
    assert "Đã ghi nhập học lại" in page
    assert "Thu bù" in page, "October is billed from the return on by a supplementary round"
    assert "Đã nhập học lại" in accountant.get(MOVING).text
    assert "Em đã nhập học lại từ" in accountant.get(here).text
    late = form(accountant, MOVING, lop=group, tu=f"{today}", ly_do="Lần nữa")
    assert accountant.post(f"{here}/nhap-hoc-lai", data=late).status_code == 409
