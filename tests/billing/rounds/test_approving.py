"""From draft to approval: two people, questions that need a yes, and no way round the order."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlmodel import Session, select

from billing.audit.recording import SYSTEM
from billing.audit.tables import AuditEntry
from billing.errors import Conflict, NotAllowed, NotFound, OverCap, Refused, SamePerson
from billing.fees.items import Span
from billing.fees.preview import OddityKind
from billing.fees.tables import FeeItem, FeePrice
from billing.money import Money
from billing.people.tables import ClassPlacement, Enrolment, Pupil
from billing.rounds.approving import approve_round, submit_round, withdraw_round
from billing.rounds.drafting import RoundPlan, draft_round, find_round
from billing.rounds.previewing import open_questions, preview_round
from billing.rounds.tables import BillingRound
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.fees import OCTOBER, weekdays
from tests.factories.rounds import SEPTEMBER, BillingSchool, issued_round, make_billing_school
from tests.factories.schools import SCHOOL_YEAR, anybody, make_pupil
from tests.standing import standing


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        return make_billing_school(session, vault)


def plan(billing: BillingSchool, **other: object) -> RoundPlan:
    base = RoundPlan(
        billing.id, SCHOOL_YEAR, "2025-10", "Đợt thu tháng 10", OCTOBER, weekdays(OCTOBER), date(2025, 10, 20)
    )
    return replace(base, **other)  # type: ignore[arg-type]  # any field of a plan


def drafted(session: Session, billing: BillingSchool, now: datetime) -> BillingRound:
    return draft_round(session, billing.accountant, plan(billing), now)


def submitted(session: Session, billing: BillingSchool, now: datetime) -> BillingRound:
    made = drafted(session, billing, now)
    preview_round(session, made.id, billing.accountant, now)
    return submit_round(session, made.id, billing.accountant, now)


def test_the_one_who_made_it_cannot_approve_it(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        made = submitted(session, billing, now)
        with pytest.raises(SamePerson, match="không được tự duyệt"):
            approve_round(session, made.id, billing.accountant, now, confirm=True)
        approved = approve_round(session, made.id, billing.approver, now, confirm=True)
        assert (approved.state, approved.approved_by) == ("approved", billing.approver.user_id)


def test_items_without_a_cap_need_the_approvers_yes(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        made = submitted(session, billing, now)
        questions = open_questions(made)
        assert len(questions) == 2  # meals and water: agreed with parents, no cap of the council
        with pytest.raises(Refused, match="Tiền nước uống chưa có mức trần"):
            approve_round(session, made.id, billing.approver, now)
        assert find_round(session, made.id).state == "submitted"
        approve_round(session, made.id, billing.approver, now, confirm=True)


def test_a_total_that_moves_much_asks(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        issued_round(session, billing, now, SEPTEMBER, "2025-09")  # water only
        made = drafted(session, billing, now)
        preview = preview_round(session, made.id, billing.accountant, now)
        assert preview.difference.was == Money(30_000)
        assert [each.kind for each in preview.must_confirm] == [
            OddityKind.NO_CAP,
            OddityKind.NO_CAP,
            OddityKind.TOTAL,
        ]
        assert any("hơn 20 % so với đợt trước" in text for text in open_questions(find_round(session, made.id)))


def test_steps_cannot_be_left_out(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        made = drafted(session, billing, now)
        with pytest.raises(Conflict, match="đang soạn"):
            submit_round(session, made.id, billing.accountant, now)
        preview_round(session, made.id, billing.accountant, now)
        with pytest.raises(Conflict, match="Chỉ duyệt được đợt thu đã trình"):
            approve_round(session, made.id, billing.approver, now, confirm=True)


def test_previewing_again_takes_the_approval_back(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        made = submitted(session, billing, now)
        approve_round(session, made.id, billing.approver, now, confirm=True)
        preview_round(session, made.id, billing.accountant, now)
        again = find_round(session, made.id)
        assert (again.state, again.approved_by, again.submitted_at) == ("previewed", None, None)


def test_withdrawing_needs_a_reason_and_is_the_end(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        made = submitted(session, billing, now)
        with pytest.raises(Refused, match="lý do"):
            withdraw_round(session, made.id, billing.accountant, now, " ")
        assert withdraw_round(session, made.id, billing.accountant, now, "Nhập sai giá").state == "withdrawn"
        with pytest.raises(Conflict, match="đã hủy"):
            withdraw_round(session, made.id, billing.accountant, now, "Lần nữa")
        with pytest.raises(Conflict, match="không thể tính lại"):
            preview_round(session, made.id, billing.accountant, now)


def test_an_issued_round_is_neither_previewed_nor_withdrawn(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(EVERYTHING) as session:
        issued_round(session, billing, now)
        (made,) = session.exec(select(BillingRound.id)).all()
        with pytest.raises(Conflict, match="không thể tính lại"):
            preview_round(session, made, billing.accountant, now)
        with pytest.raises(Conflict, match="đã phát hành"):
            withdraw_round(session, made, billing.accountant, now, "Muộn rồi")


def test_every_step_is_a_deed_in_the_audit(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        issued_round(session, billing, now)
        deeds = session.exec(select(AuditEntry).order_by("id")).all()
    steps = [deed.action for deed in deeds if deed.object_kind == "billing_round"]
    assert steps == ["round.draft", "round.preview", "round.submit", "round.approve", "round.issue"]


def test_a_person_answers_for_a_round(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        with pytest.raises(NotAllowed, match="người có tên"):
            draft_round(session, SYSTEM, plan(billing), now)
        made = submitted(session, billing, now)
        with pytest.raises(NotAllowed, match="người có tên"):
            approve_round(session, made.id, SYSTEM, now, confirm=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"days": Span(date(2025, 10, 1)), "meal_days": frozenset()}, "phải có ngày kết thúc"),
        ({"meal_days": frozenset({date(2025, 11, 3)})}, "nằm ngoài kỳ"),
        ({"due_on": date(2025, 9, 30)}, "trước ngày đầu của kỳ thu"),
        ({"due_on": date(2052, 10, 20)}, "sau kỳ thu hơn một năm"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    database: Database, billing: BillingSchool, now: datetime, change: dict[str, object], reason: str
) -> None:
    with database.transaction(EVERYTHING) as session, pytest.raises(Refused, match=reason):
        draft_round(session, billing.accountant, plan(billing, **change), now)


def test_a_code_is_used_once_a_year(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        drafted(session, billing, now)
        with pytest.raises(Refused, match="đã có đợt thu mã 2025-10"):
            drafted(session, billing, now)


def test_a_round_nobody_knows(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session, pytest.raises(NotFound, match="Không tìm thấy"):
        preview_round(session, new_id(), anybody(), now)


def test_a_price_above_the_cap_stops_the_preview(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        item = session.exec(select(FeeItem).where(FeeItem.code == "BANTRU")).one()
        (old,) = session.exec(select(FeePrice).where(FeePrice.item_id == item.id)).all()
        old.valid_to = date(2025, 9, 30)
        session.add(old)
        session.add(
            FeePrice(school_id=billing.id, item_id=item.id, amount=Money(300_001), valid_from=date(2025, 10, 1))
        )
        made = drafted(session, billing, now)
        with pytest.raises(OverCap, match="08/2025/NQ-HĐND"):
            preview_round(session, made.id, billing.accountant, now)


def test_who_cannot_be_billed_or_told_is_shown(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        group = billing.pupils[0].class_group
        silent = make_pupil(session, group, "Lê Thị Lặng", province_id=billing.school.province_id)
        child = Pupil(
            province_id=billing.school.province_id,
            entered_by_school_id=billing.id,
            full_name="Phạm Văn Mới",
            birth_date=date(2019, 1, 1),
            sex="Nam",
        )
        session.add(child)
        session.flush()
        session.add(
            Enrolment(school_id=billing.id, pupil_id=child.id, school_year=SCHOOL_YEAR, started_on=date(2025, 9, 1))
        )
        session.flush()
        made = drafted(session, billing, now)
        preview = preview_round(session, made.id, billing.accountant, now)
        found = {(each.kind, each.pupil_id) for each in preview.oddities if each.pupil_id}
        assert found == {(OddityKind.NO_CONTACT, silent.id), (OddityKind.NO_CLASS, child.id)}
        assert preview.totals.pupils == 4
        kept = find_round(session, made.id).preview
        assert {each["pupil"] for each in kept["oddities"] if each["pupil"]} == {str(silent.id), str(child.id)}


def test_the_class_is_the_last_one_of_the_period(database: Database, billing: BillingSchool, now: datetime) -> None:
    """A price for class 1B reaches a pupil who moved there within the month."""
    with database.transaction(EVERYTHING) as session:
        child = billing.pupils[0]
        session.add_all(_moved_to(session, billing, "1B", date(2025, 10, 13)))
        made = drafted(session, billing, now)
        preview = preview_round(session, made.id, billing.accountant, now)
        (extra,) = [each for each in preview.items if each.code == "NUOC1B"]
        assert extra.totals.pupils == 1
        assert child.id in {each.pupil_id for each in preview.difference.changed} | set(preview.difference.new)


def _moved_to(session: Session, billing: BillingSchool, code: str, day: date) -> list[object]:
    from_1a = billing.pupils[0].class_group
    group = type(from_1a)(school_id=billing.id, school_year=SCHOOL_YEAR, level="primary", grade=1, code=code, name=code)
    item = FeeItem(
        school_id=billing.id,
        code="NUOC1B",
        legal_name="Nước lớp 1B",
        item_group="agreed",
        unit="month",
        legal_basis="Thỏa thuận",
        revenue_account="3388",
        bank_account_id=billing.account.id,
        valid_from=date(2025, 9, 1),
    )
    session.add_all([group, item])
    session.flush()
    return [
        FeePrice(
            school_id=billing.id,
            item_id=item.id,
            amount=Money(5_000),
            class_codes=[code],
            valid_from=date(2025, 9, 1),
        ),
        ClassPlacement(
            school_id=billing.id,
            enrolment_id=billing.pupils[0].enrolment.id,
            class_id=group.id,
            valid_from=day,
        ),
    ]


@pytest.mark.parametrize(
    ("school_year", "days"),
    [
        (SCHOOL_YEAR, Span(date(2026, 10, 1), date(2026, 10, 31))),  # the year after
        (SCHOOL_YEAR, Span(date(2026, 7, 1), date(2026, 8, 31))),  # over its end
        (SCHOOL_YEAR, Span(date(2025, 10, 1), date(2125, 10, 31))),
        ("2025-2099", OCTOBER),
        ("٢٠٢٥-٢٠٢٦", OCTOBER),
    ],
)
def test_a_round_lies_within_its_school_year(
    database: Database, billing: BillingSchool, now: datetime, school_year: str, days: Span
) -> None:
    elsewhere = plan(billing, school_year=school_year, days=days, meal_days=frozenset(), due_on=date(2026, 10, 20))
    with database.transaction(EVERYTHING) as session:
        with pytest.raises(Refused, match=r"không nằm trong năm học .*chia thành hai đợt thu"):
            draft_round(session, billing.accountant, elsewhere, now)
        assert session.exec(select(BillingRound)).all() == []


@pytest.mark.parametrize("code", ["", " ", "i1\u200b", "a\nb"])
def test_two_codes_never_look_alike(database: Database, billing: BillingSchool, now: datetime, code: str) -> None:
    with database.transaction(EVERYTHING) as session, pytest.raises(Refused, match="nhìn thấy được"):
        draft_round(session, billing.accountant, plan(billing, code=code), now)
