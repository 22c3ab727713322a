"""The accountant's story of a plan: drafted, its papers, submitted, approved by another; and what a round may take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from billing.audit.tables import AuditEntry
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.fees.items import Level, Span
from billing.money import Money
from billing.plans.checking import require_plans
from billing.plans.papers import MOST_BYTES, read_paper
from billing.plans.planning import (
    add_paper,
    approve_plan,
    draft_plan,
    open_paper,
    return_plan,
    submit_plan,
)
from billing.plans.reading import find_plan, items_in, plans_of, state_of, steps_of
from billing.plans.rules import Audience, NotPlanned
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.plans import (
    DECISION,
    MEETING,
    PDF,
    approved_plan,
    estimates,
    paper,
    submitted_plan,
)
from tests.factories.rounds import BillingSchool, approved_round, issued_round, make_billing_school, register
from tests.factories.schools import SCHOOL_YEAR, make_class, make_pupil

NOW = datetime(2025, 9, 28, 3, tzinfo=UTC)
FIRST = date(2025, 9, 1)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction(EVERYTHING) as opened:
        yield opened


@pytest.fixture
def billing(session: Session, vault: Vault) -> BillingSchool:
    made = make_billing_school(session, vault, pupils=2)
    register(session, made.pupils[0], "BANTRU", "TIENAN")
    require_plans(session, made.school, FIRST, made.approver, NOW)
    return made


def test_a_round_is_stopped_until_the_plan_is_approved(session: Session, billing: BillingSchool) -> None:
    with pytest.raises(NotPlanned, match="chưa có kế hoạch thu được duyệt") as stopped:
        approved_round(session, billing, NOW)
    assert "BANTRU" in str(stopped.value.facts["items"])
    assert "BHYT" not in str(stopped.value.facts["items"])
    submitted_plan(session, billing, estimates(session, billing), NOW)
    with pytest.raises(NotPlanned):
        approved_round(session, billing, NOW, code="2025-10b")
    approved_plan(session, billing, NOW)
    assert issued_round(session, billing, NOW, code="2025-10c").bills


def test_a_price_above_the_plan_and_an_item_outside_it_stop_the_round(session: Session, billing: BillingSchool) -> None:
    planned = estimates(session, billing)
    lower = [replace(each, price=each.price - Money(1)) if each.code == "TIENAN" else each for each in planned]
    approved_plan(session, billing, NOW, [each for each in lower if each.code != "BANTRU"])
    with pytest.raises(NotPlanned) as stopped:
        approved_round(session, billing, NOW)
    assert "cao hơn kế hoạch thu lần 1" in stopped.value.message
    assert "không có trong kế hoạch thu lần 1" in stopped.value.message
    assert "Hãy" in stopped.value.message


def test_a_later_version_holds_from_its_day_and_a_school_without_the_setting_needs_none(
    session: Session, billing: BillingSchool
) -> None:
    approved_plan(session, billing, NOW)
    meals = [each for each in estimates(session, billing) if each.code == "TIENAN"]
    november = replace(DECISION, number="99/QĐ-UBND", valid_from=date(2025, 11, 1))
    second = approved_plan(session, billing, NOW, meals, november)
    assert second.version == 2
    approved_round(session, billing, NOW)
    days = Span(date(2025, 11, 1), date(2025, 11, 30))
    with pytest.raises(NotPlanned, match="kế hoạch thu lần 2"):
        approved_round(session, billing, NOW, days, "2025-11")
    with pytest.raises(Refused, match="không lùi"):
        require_plans(session, billing.school, date(2026, 1, 1), billing.approver, NOW)
    billing.school.plans_required_from = None
    session.add(billing.school)
    approved_round(session, billing, NOW, days, "2025-11b")


def test_grades_may_have_prices_of_their_own(session: Session, billing: BillingSchool) -> None:
    """Grade 1 eats for 32,000 đ, grade 2 for a đồng less than it is planned for; a third grade is not in the plan."""
    second = make_pupil(
        session,
        make_class(session, billing.school, grade=2, code="2A"),
        "Điểu Bảo",
        province_id=billing.school.province_id,
    )
    register(session, second, "TIENAN")
    planned = estimates(session, billing)
    [meals] = [each for each in planned if each.code == "TIENAN"]
    others = [each for each in planned if each.code != "TIENAN"]
    first_grade = replace(meals, audience=Audience(grades=frozenset({1})))
    cheaper = replace(meals, price=meals.price - Money(1), audience=Audience(grades=frozenset({2, 3})))
    with pytest.raises(Refused, match="hai mức thu cùng áp dụng cho một số em"):
        draft_plan(session, billing.id, SCHOOL_YEAR, MEETING, [meals, first_grade], billing.accountant, NOW)
    secondary = replace(meals, audience=Audience(frozenset({Level.LOWER_SECONDARY})))
    with pytest.raises(Refused, match="trường không có cấp học"):
        draft_plan(session, billing.id, SCHOOL_YEAR, MEETING, [secondary], billing.accountant, NOW)
    approved_plan(session, billing, NOW, [*others, first_grade, cheaper])
    with pytest.raises(NotPlanned) as stopped:
        approved_round(session, billing, NOW)
    assert f"cao hơn kế hoạch thu lần 1 ({cheaper.price} cho khối 2, 3)" in stopped.value.message
    assert stopped.value.message.count("Tiền ăn") == 1
    approved_plan(session, billing, NOW, [*others, first_grade])
    with pytest.raises(NotPlanned, match="không có cho tiểu học khối 2 trong kế hoạch thu lần 2"):
        approved_round(session, billing, NOW, code="2025-10b")
    approved_plan(session, billing, NOW, [*others, first_grade, replace(cheaper, price=meals.price)])
    approved_round(session, billing, NOW, code="2025-10c")


def test_two_people_and_every_paper_in_its_time(session: Session, billing: BillingSchool) -> None:
    school, accountant, approver = billing.id, billing.accountant, billing.approver
    plan = draft_plan(session, school, SCHOOL_YEAR, MEETING, estimates(session, billing), accountant, NOW)
    with pytest.raises(Refused, match="Chưa có biên bản"):
        submit_plan(session, school, plan.id, accountant, NOW)
    kept = add_paper(session, school, plan.id, "minutes", paper(), accountant, NOW)
    with pytest.raises(Conflict, match="đang soạn"):
        add_paper(session, school, plan.id, "decision", paper(), accountant, NOW)
    submit_plan(session, school, plan.id, accountant, NOW)
    with pytest.raises(Conflict):
        add_paper(session, school, plan.id, "minutes", paper(), accountant, NOW)
    with pytest.raises(SamePerson):
        approve_plan(session, school, plan.id, DECISION, paper(), accountant, NOW)
    for wrong in (
        replace(DECISION, number=" "),
        replace(DECISION, signer=""),
        replace(DECISION, day=date(2025, 10, 1)),
        replace(DECISION, valid_from=date(2026, 9, 1)),
    ):
        with pytest.raises(Refused):
            approve_plan(session, school, plan.id, wrong, paper(), approver, NOW)
    approve_plan(session, school, plan.id, DECISION, paper(), approver, NOW)
    with pytest.raises(Conflict, match="đã duyệt"):
        return_plan(session, school, plan.id, "sai", approver, NOW)
    assert open_paper(session, school, plan.id, kept.id, approver, NOW).content == PDF
    opened = select(AuditEntry).where(col(AuditEntry.action) == "plans.open_paper")
    assert len(session.exec(opened).all()) == 1
    with pytest.raises(NotFound):
        open_paper(session, school, plan.id, new_id(), approver, NOW)


def test_a_returned_plan_comes_again_as_the_next_version(session: Session, billing: BillingSchool) -> None:
    plan = submitted_plan(session, billing, estimates(session, billing), NOW)
    with pytest.raises(Refused, match="lý do"):
        return_plan(session, billing.id, plan.id, " ", billing.approver, NOW)
    return_plan(session, billing.id, plan.id, "Thiếu dự toán", billing.approver, NOW)
    again = submitted_plan(session, billing, estimates(session, billing), NOW)
    found = plans_of(session, billing.id)
    assert [each.version for each in found] == [2, 1]
    states = {key: state_of(rows) for key, rows in steps_of(session, billing.id, [plan.id, again.id]).items()}
    assert states == {plan.id: "returned", again.id: "submitted"}
    items = items_in(session, find_plan(session, billing.id, again.id))
    assert all(item.expected == item.price * (item.pupils * item.times) for item in items)


def test_what_a_draft_refuses(session: Session, billing: BillingSchool) -> None:
    good = estimates(session, billing)[0]
    for wrong in (
        replace(good, code="BHYT"), replace(good, code="KHONGCO"), replace(good, price=Money(0)),
        replace(good, pupils=0), replace(good, basis=" "),
    ):  # fmt: skip
        with pytest.raises(Refused):
            draft_plan(session, billing.id, SCHOOL_YEAR, MEETING, [wrong], billing.accountant, NOW)
    for meeting in (replace(MEETING, yes=321), replace(MEETING, place=""), replace(MEETING, day=date(2025, 12, 1))):
        with pytest.raises(Refused):
            draft_plan(session, billing.id, SCHOOL_YEAR, meeting, [good], billing.accountant, NOW)
    with pytest.raises(Refused, match="ít nhất một khoản"):
        draft_plan(session, billing.id, SCHOOL_YEAR, MEETING, [], billing.accountant, NOW)
    assert plans_of(session, billing.id) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "trống"), (b"PK\x03\x04", "không phải PDF"), (b"%PDF-" + bytes(MOST_BYTES), "lớn hơn 5 MB")],
    ids=["empty", "another kind", "too large"],
)
def test_a_file_of_the_wrong_kind_or_size_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_paper("biên bản.pdf", content)


def test_a_file_is_called_by_what_it_is_and_without_its_folder() -> None:
    read = read_paper("C:\\bí mật\\ảnh.exe", b"\x89PNG\r\n\x1a\nxyz")
    assert (read.name, read.media_type) == ("ảnh.png", "image/png")


_ITEMS = "school_id, plan_id, legal_name, unit, price, pupils, times, expected, basis, purpose"
_STEPS = "school_id, plan_id, reason, number, signer, authority, made_by, at"
_PAPERS = "school_id, plan_id, kind, name, media_type, sha256, content, made_by, made_at"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE plan_items SET price = 1", "permission denied"),
        ("DELETE FROM plan_papers", "permission denied"),
        ("INSERT INTO plan_items (item_code, {items}) SELECT 'X', {items} FROM plan_items", "no further item"),
        (
            "INSERT INTO plan_steps (turn, kind, {steps}) SELECT 3, 'submitted', {steps} FROM plan_steps",
            "cannot be",
        ),
        (
            "INSERT INTO plan_papers (id, {papers}) SELECT gen_random_uuid(), {papers} FROM plan_papers",
            "takes no",
        ),
    ],
    ids=["price", "paper away", "item", "step", "paper"],
)
def test_the_database_refuses_changes_of_an_approved_plan(
    session: Session, billing: BillingSchool, statement: str, said: str
) -> None:
    approved_plan(session, billing, NOW)
    with pytest.raises(DBAPIError, match=said), session.begin_nested():
        session.execute(text(statement.format(items=_ITEMS, steps=_STEPS, papers=_PAPERS)))


def test_the_database_lets_nobody_approve_his_own_plan(session: Session, billing: BillingSchool) -> None:
    plan = submitted_plan(session, billing, estimates(session, billing), NOW)
    with pytest.raises(DBAPIError, match="papers"), session.begin_nested():
        session.execute(text(
            "INSERT INTO plan_steps (school_id, plan_id, turn, kind, reason, number, decided_on, signer, authority,"
            " valid_from, made_by, at) SELECT school_id, plan_id, 2, 'approved', '', '1', '2025-09-01', 'K', 'U',"
            " '2025-09-01', made_by, at FROM plan_steps WHERE plan_id = :plan"), {"plan": plan.id})  # fmt: skip
    add_paper(session, billing.id, plan.id, "decision", paper(), billing.approver, NOW)
    with pytest.raises(DBAPIError, match="does not approve"), session.begin_nested():
        session.execute(text(
            "INSERT INTO plan_steps (school_id, plan_id, turn, kind, reason, number, decided_on, signer, authority,"
            " valid_from, made_by, at) SELECT school_id, plan_id, 2, 'approved', '', '1', '2025-09-01', 'K', 'U',"
            " '2025-09-01', made_by, at FROM plan_steps WHERE plan_id = :plan"), {"plan": plan.id})  # fmt: skip
