"""A pupil arrives in November: what the school asked for once in September is chosen item by item and billed once."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine
from billing.errors import Conflict, NotFound, Refused
from billing.fees.contracted import LATE_ITEM
from billing.fees.tables import FeeItem, FeePrice
from billing.money import Money
from billing.people.tables import Enrolment
from billing.rounds.approving import approve_round, submit_round
from billing.rounds.calculating import late_arrivals
from billing.rounds.choosing_late import Choice, LatePupil, choose_late, late_pupils, waits
from billing.rounds.correcting import approve_correction, propose_void
from billing.rounds.drafting import SupplementaryPlan, draft_supplementary
from billing.rounds.issuing import IssuedRound, issue_round
from billing.rounds.previewing import preview_round
from billing.rounds.tables import LateChoice
from service.database import EVERYTHING, Database
from tests.billing.rounds.correction_world import ties_out
from tests.billing.rounds.makers import as_school
from tests.factories.fees import OCTOBER
from tests.factories.rounds import REFERENCE_KEY, SEPTEMBER, BillingSchool, approved_round, register
from tests.factories.schools import Enrolled, make_pupil

NOVEMBER = date(2025, 11, 3)
TAKE, LEAVE = Choice("take"), Choice("leave", "Đã nộp ở trường cũ")


def once_a_year(session: Session, billing: BillingSchool, code: str, dong: int, *, opt_in: bool = False) -> None:
    """Give the school an item that is asked for once, in September."""
    item = FeeItem(
        school_id=billing.id, code=code, legal_name=f"Khoản {code}", item_group="agreed", unit="year",
        legal_basis="Thỏa thuận", revenue_account="531", bank_account_id=billing.account.id, opt_in=opt_in,
        valid_from=SEPTEMBER.start,
    )  # fmt: skip
    session.add(item)
    session.flush()
    price = FeePrice(
        school_id=billing.id, item_id=item.id, amount=Money(dong), levels=[], grades=[], class_codes=[],
        valid_from=SEPTEMBER.start, valid_to=SEPTEMBER.end,
    )  # fmt: skip
    session.add(price)
    session.flush()


@pytest.fixture
def september(database: Database, billing: BillingSchool, now: datetime) -> UUID:
    """September is issued, with items of the year: the third for who registers, the last a contract's own."""
    with database.transaction(EVERYTHING) as session:
        once_a_year(session, billing, "HOCPHAM", 150_000)
        once_a_year(session, billing, "PHUHIEU", 40_000)
        once_a_year(session, billing, "DANGOAI", 90_000, opt_in=True)
        once_a_year(session, billing, LATE_ITEM, 10_000)
    with as_school(database, billing) as session:
        return issued_one(session, billing, now)


def issued_one(session: Session, billing: BillingSchool, now: datetime) -> UUID:
    round_id = approved_round(session, billing, now, SEPTEMBER, "2025-09")
    issue_round(session, round_id, now, REFERENCE_KEY)
    return round_id


def comes(database: Database, billing: BillingSchool, day: date = NOVEMBER) -> Enrolled:
    with database.transaction(EVERYTHING) as session:
        group = billing.pupils[0].class_group
        return make_pupil(session, group, "Lê Thị Mới", province_id=billing.school.province_id, started_on=day)


Supplement = Callable[[Session], IssuedRound]


@pytest.fixture
def supplement(billing: BillingSchool, september: UUID, now: datetime) -> Supplement:
    """Draft, approve and issue a supplementary round of September, each time under a code of its own."""
    later, made = now + timedelta(days=1), iter(range(1, 9))

    def issue(session: Session) -> IssuedRound:
        plan = SupplementaryPlan(f"2025-09-BS{next(made)}", "Thu bù tháng 9", date(2025, 11, 20))
        drafted = draft_supplementary(session, billing.accountant, september, plan, later)
        preview_round(session, drafted.id, billing.accountant, later)
        submit_round(session, drafted.id, billing.accountant, later)
        approve_round(session, drafted.id, billing.approver, later, confirm=True)
        return issue_round(session, drafted.id, later, REFERENCE_KEY)

    return issue


def codes(pupils: tuple[LatePupil, ...]) -> list[list[tuple[str, str]]]:
    return [sorted((item.code, item.kind) for item in each.items) for each in pupils]


def billed(session: Session, child: Enrolled) -> list[tuple[str, Money]]:
    rows = session.exec(
        select(BillLine.item_code, col(BillLine.family_share))
        .join(Bill, col(Bill.id) == col(BillLine.bill_id))
        .where(Bill.pupil_id == child.id)
        .order_by(col(BillLine.item_code))
    ).all()
    return list(rows)


def test_a_pupil_arrives_in_november_and_pays_what_is_taken_once(
    database: Database, billing: BillingSchool, september: UUID, supplement: Supplement, now: datetime
) -> None:
    """Exercise books are asked for, the badge was paid at the old school; the trip needs a registration."""
    child = comes(database, billing)
    with as_school(database, billing) as session:
        [pupil] = late_pupils(session, september)
        assert codes((pupil,)) == [[("HOCPHAM", ""), ("PHUHIEU", "")]]
        assert (waits((pupil,)), late_arrivals(session, september)) == (1, ()), "nothing of itself"
        choices = {"HOCPHAM": TAKE, "PHUHIEU": LEAVE}
        choose_late(session, billing.accountant, september, child.enrolment.id, choices, now)
        assert late_arrivals(session, september) == (child.id,)
        assert supplement(session) == IssuedRound(1, 0, 1, Money(150_000))
        assert billed(session, child) == [("HOCPHAM", Money(150_000))]
        assert (late_pupils(session, september), late_arrivals(session, september)) == ((), ())
        with pytest.raises(NotFound, match="đã có thông báo"):
            choose_late(session, billing.accountant, september, child.enrolment.id, choices, now)
        ties_out(session, billing)


def test_the_last_choice_counts_and_what_is_left_is_not_billed(
    database: Database, billing: BillingSchool, september: UUID, supplement: Supplement, now: datetime
) -> None:
    """A family registers for the trip; the accountant thinks again; all is written and nothing is billed twice."""
    child = comes(database, billing)
    with database.transaction(EVERYTHING) as session:
        register(session, child, "DANGOAI", since=NOVEMBER)
    with as_school(database, billing) as session:
        everything = {"HOCPHAM": TAKE, "PHUHIEU": TAKE, "DANGOAI": TAKE}
        choose_late(session, billing.accountant, september, child.enrolment.id, everything, now)
        again = {"HOCPHAM": LEAVE, "PHUHIEU": Choice("take_again", "Mẫu khác trường cũ"), "DANGOAI": TAKE}
        choose_late(session, billing.accountant, september, child.enrolment.id, again, now)
        assert len(session.exec(select(LateChoice)).all()) == 6
        assert supplement(session).family_total == Money(130_000)
        assert billed(session, child) == [("DANGOAI", Money(90_000)), ("PHUHIEU", Money(40_000))]
        bill = session.exec(select(Bill).where(Bill.pupil_id == child.id)).one()
        wrong = propose_void(session, billing.accountant, bill.id, "Nhầm", now)
        approve_correction(session, wrong.id, billing.approver, now, REFERENCE_KEY)
        assert late_arrivals(session, september) == (child.id,), "taken back, it may be asked for again"
        ties_out(session, billing)


def test_a_choice_is_whole_and_gives_its_reasons(
    database: Database, billing: BillingSchool, september: UUID, now: datetime
) -> None:
    child = comes(database, billing)
    wrong = (
        ({"HOCPHAM": TAKE}, "chưa chọn"),
        ({"HOCPHAM": TAKE, "PHUHIEU": Choice("leave", " ")}, "phải ghi lý do"),
        ({"HOCPHAM": TAKE, "PHUHIEU": Choice("take_again")}, "đã nộp ở trường khác"),
        ({"HOCPHAM": TAKE, "PHUHIEU": TAKE, "DANGOAI": TAKE}, "DANGOAI không được thu bù"),
        ({"HOCPHAM": TAKE, "PHUHIEU": TAKE, "NUOCUONG": TAKE}, "NUOCUONG không được thu bù"),
    )
    with as_school(database, billing) as session:
        for choices, said in wrong:
            with pytest.raises(Refused, match=said):
                choose_late(session, billing.accountant, september, child.enrolment.id, choices, now)
        assert session.exec(select(LateChoice)).all() == []


def test_nobody_else_is_asked_about(database: Database, billing: BillingSchool, september: UUID, now: datetime) -> None:
    """Not who was there in September, nor an open round, nor what another round of the year billed already."""
    early = comes(database, billing, date(2025, 9, 30))
    october = comes(database, billing, date(2025, 10, 6))
    with database.transaction(EVERYTHING) as session:
        again = select(FeeItem.id).where(FeeItem.school_id == billing.id, FeeItem.code == "HOCPHAM")
        price = FeePrice(
            school_id=billing.id, item_id=session.exec(again).one(), amount=Money(75_000), levels=[], grades=[],
            class_codes=[], valid_from=OCTOBER.start, valid_to=OCTOBER.end,
        )  # fmt: skip
        session.add(price)
    with as_school(database, billing) as session:
        assert early.id in late_arrivals(session, september), "billed for September as ever"
        unissued = approved_round(session, billing, now, OCTOBER)
        assert late_pupils(session, unissued) == ()
        with pytest.raises(Conflict, match="đã phát hành"):
            choose_late(session, billing.accountant, unissued, october.enrolment.id, {}, now)
        assert [each.pupil_id for each in late_pupils(session, september)] == [october.id]
        issue_round(session, unissued, now, REFERENCE_KEY)
        [pupil] = late_pupils(session, september)
        assert codes((pupil,)) == [[("PHUHIEU", "")]], "the books were billed in October"
        choose_late(session, billing.accountant, september, october.enrolment.id, {"PHUHIEU": TAKE}, now)
        assert october.id in late_arrivals(session, september)
    with database.transaction(EVERYTHING) as session:
        session.get_one(Enrolment, october.enrolment.id).ended_on = date(2025, 12, 1)
    with as_school(database, billing) as session:
        assert late_pupils(session, september) == (), "who leaves is asked for nothing of before"
        assert october.id not in late_arrivals(session, september)


def test_choices_are_written_once_and_give_their_reason(
    database: Database, billing: BillingSchool, september: UUID, now: datetime
) -> None:
    child = comes(database, billing)
    with as_school(database, billing) as session:
        choices = {"HOCPHAM": TAKE, "PHUHIEU": TAKE}
        choose_late(session, billing.accountant, september, child.enrolment.id, choices, now)
    with as_school(database, billing) as session:
        row = session.exec(select(LateChoice).limit(1)).one()
        kept = row.model_dump(exclude={"id", "kind"})
        unsaid = LateChoice(**kept, kind="leave")
        with pytest.raises(DBAPIError, match="reason_given"), session.begin_nested():
            session.add(unsaid)
    with as_school(database, billing) as session, pytest.raises(DBAPIError, match="permission denied"):
        session.execute(text("UPDATE late_choices SET kind = 'leave', reason = 'x'"))
