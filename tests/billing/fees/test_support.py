"""A private pupil's support: to the family the bill stays gross, to the school it is taken off, and nothing is lost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from billing.bills.tables import Bill, BillLine, BillReduction
from billing.claims.claiming import claim_lines
from billing.errors import Conflict, OverCap, Refused, SamePerson
from billing.fees.council_rates import (
    RateKind,
    Where,
    check_rates,
    is_foreign,
    is_study_month,
    national_rates,
    parse_rates,
    rate_for,
)
from billing.fees.errors import BadCatalogue
from billing.fees.items import Level, Span
from billing.fees.support import (
    NewChoice,
    approve_choice,
    choose_support,
    load_rates,
    payee_on,
    read_choices,
    read_rates,
    withdraw_choice,
)
from billing.ledger.tables import LedgerAccount, Posting
from billing.money import Money, total
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from tests.factories.claims import INVENTED, PRIVATE_RATE, approved_claim, invented_rates, load_invented, rate
from tests.factories.rounds import BillingSchool, issued_round, make_billing_school
from tests.factories.schools import make_school
from tests.standing import standing

TUITION_PRICE = Money(2_500_000)
JANUARY = Span(date(2026, 1, 1), date(2026, 1, 31))
IN_JANUARY = datetime(2026, 1, 5, 1, tzinfo=UTC)
FRAMES = national_rates().frames


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    """A private school of three in a province with invented rates."""
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault, catalogue="private-school")
        load_invented(session, made.school.province_id)
    return made


def decide(session: Session, billing: BillingSchool, now: datetime, since: date, payee: str = "school") -> UUID:
    new = NewChoice(payee, "QĐ 12/2025", date(2025, 10, 1), since)
    choice = choose_support(session, billing.school, billing.accountant, new, now)
    approve_choice(session, choice.id, billing.approver, now)
    return choice.id


def state_owes(session: Session, school_id: UUID) -> Money:
    account = session.exec(
        select(LedgerAccount.id).where(LedgerAccount.school_id == school_id, LedgerAccount.code == "131N")
    ).one()
    rows = session.exec(select(Posting).where(Posting.school_id == school_id)).all()
    return total(row.amount for row in rows if row.debit_account_id == account)


def test_to_the_family_the_bill_stays_gross(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        issued_round(session, billing, now)
        lines = session.exec(select(BillLine).where(BillLine.item_code == "HOCPHI")).all()
        assert [line.family_share for line in lines] == [TUITION_PRICE] * 3
        assert state_owes(session, billing.id) == Money(0)
        claim = approved_claim(session, billing, RateKind.SUPPORT, now)
        assert claim.total == PRIVATE_RATE * 12
        assert {line.payee for line in claim_lines(session, claim)} == {"family"}


def test_after_the_decision_the_school_is_paid_and_the_family_pays_less(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        decide(session, billing, now, date(2026, 1, 1))
        issued_round(session, billing, now)
        before = session.exec(select(BillLine).where(BillLine.item_code == "HOCPHI")).all()
        assert [line.family_share for line in before] == [TUITION_PRICE] * 3, "October is before the decision's day"
        issued_round(session, billing, IN_JANUARY, JANUARY, "2026-01")
        january = session.exec(select(Bill).where(Bill.period == "Tháng 1/2026")).all()
        for bill in january:
            (tuition,) = session.exec(
                select(BillLine).where(BillLine.bill_id == bill.id, BillLine.item_code == "HOCPHI")
            ).all()
            assert tuition.family_share == TUITION_PRICE - PRIVATE_RATE
        shares = session.exec(select(BillReduction)).all()
        assert {(share.payer, share.amount, share.title) for share in shares} == {
            ("state", PRIVATE_RATE, "Hỗ trợ học phí trường ngoài công lập")
        }
        assert state_owes(session, billing.id) == PRIVATE_RATE * 3
        assert all(bill.gross == bill.family_due + bill.reduced for bill in january)
        claim = approved_claim(session, billing, RateKind.SUPPORT, IN_JANUARY, 2)
        assert {(line.payee, line.month.month >= 1) for line in claim_lines(session, claim)} == {("school", True)}
        assert state_owes(session, billing.id) == PRIVATE_RATE * 3, "the bills have posted it, the claim posts nothing"


def test_a_foreign_pupil_pays_the_whole_tuition(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        foreign = billing.pupils[0].id
        session.execute(text("UPDATE pupils SET nationality = 'Lào' WHERE id = :id"), {"id": foreign})
        decide(session, billing, now, date(2025, 10, 1))
        issued_round(session, billing, now)
        bills = {bill.id: bill.pupil_id for bill in session.exec(select(Bill)).all()}
        lines = session.exec(select(BillLine).where(BillLine.item_code == "HOCPHI")).all()
        shares = {bills[line.bill_id]: line.family_share for line in lines}
        assert shares.pop(foreign) == TUITION_PRICE
        assert set(shares.values()) == {TUITION_PRICE - PRIVATE_RATE}


@pytest.mark.parametrize(
    ("nationality", "foreign"),
    [
        ("Việt Nam", False),
        ("VIỆT NAM", False),
        ("", False),
        ("Chưa xác định", False),
        ("Lào", True),
        ("Hàn Quốc", True),
    ],
)
def test_who_counts_as_foreign(nationality: str, foreign: bool) -> None:  # noqa: FBT001  a case of the table
    assert is_foreign(nationality) is foreign


def test_a_choice_counts_once_another_person_approved_it(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        new = NewChoice("school", "QĐ 12/2025", date(2025, 10, 1), date(2025, 11, 1))
        choice = choose_support(session, billing.school, billing.accountant, new, now)
        assert payee_on(read_choices(session, billing.id), date(2025, 11, 1)) == "family"
        with pytest.raises(SamePerson):
            approve_choice(session, choice.id, billing.accountant, now)
        approve_choice(session, choice.id, billing.approver, now)
        choices = read_choices(session, billing.id)
        assert [payee_on(choices, date(2025, month, 1)) for month in (10, 11, 12)] == ["family", "school", "school"]
        with pytest.raises(Conflict):
            withdraw_choice(session, choice.id, billing.accountant, now)
        decide(session, billing, now, date(2025, 12, 1), "family")
        assert payee_on(read_choices(session, billing.id), date(2025, 12, 1)) == "family"


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (NewChoice("bank", "1", date(2025, 10, 1), date(2025, 11, 1)), "gia đình hoặc nhà trường"),
        (NewChoice("school", " ", date(2025, 10, 1), date(2025, 11, 1)), "số quyết định"),
        (NewChoice("school", "1", date(2025, 10, 1), date(2025, 11, 2)), "ngày đầu tháng"),
        (NewChoice("school", "1", date(2025, 10, 1), date(2025, 9, 1)), "Không ghi lùi về tháng 09/2025"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    database: Database, billing: BillingSchool, now: datetime, new: NewChoice, why: str
) -> None:
    with database.transaction(Scope.of(billing.id)) as session, pytest.raises(Refused, match=why):
        choose_support(session, billing.school, billing.accountant, new, now)


def test_a_public_school_has_nothing_to_choose(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        public = make_school(session)
        new = NewChoice("school", "1", date(2025, 10, 1), date(2025, 11, 1))
        with pytest.raises(Refused, match="ngoài công lập"):
            choose_support(session, public, billing.accountant, new, now)


def test_rates_are_loaded_once_and_a_later_one_ends_the_earlier(database: Database, billing: BillingSchool) -> None:
    province = billing.school.province_id
    with database.transaction(EVERYTHING) as session:
        assert load_rates(session, province, invented_rates()) == 0
        later = json.loads(json.dumps(INVENTED))
        later["rates"] = [{**later["rates"][0], "amount": 130_000, "valid_from": "2026-09-01"}]
        assert load_rates(session, province, parse_rates(json.dumps(later), "sau.json")) == len(Level)
        rates = read_rates(session, province)
        where = Where(Level.PRIMARY, "ward", "binh_phuoc")
        found = [rate_for(RateKind.TUITION, where, day, rates) for day in (date(2026, 5, 1), date(2026, 9, 1))]
        assert [each.amount if each else None for each in found] == [Money(120_000), Money(130_000)]
        changed = json.loads(json.dumps(INVENTED))
        changed["rates"][0]["amount"] = 125_000
        with pytest.raises(Refused, match=r"đã nạp là 120\.000 đ, tệp ghi 125\.000 đ"):
            load_rates(session, province, parse_rates(json.dumps(changed), "khac.json"))


@pytest.mark.parametrize(
    ("level", "dong", "error"),
    [
        (Level.PRIMARY, 540_000, None),
        (Level.PRIMARY, 540_001, OverCap),
        (Level.LOWER_SECONDARY, 650_000, None),
        (Level.UPPER_SECONDARY, 99_999, Refused),
        (Level.UPPER_SECONDARY, 100_000, None),
        (Level.PRESCHOOL, 49_999, Refused),
    ],
)
def test_rates_stay_within_the_frame(level: Level, dong: int, error: type[Exception] | None) -> None:
    rates = [rate(RateKind.TUITION, dong, level=level)]
    if error is None:
        check_rates(rates, FRAMES)
    else:
        with pytest.raises(error):
            check_rates(rates, FRAMES)


def test_the_ceiling_rises_by_the_year_and_not_for_ever() -> None:
    frame = next(each for each in FRAMES if each.level is Level.PRIMARY)
    days = [date(2026, 7, 31), date(2026, 9, 1), date(2027, 9, 1), date(2035, 9, 1), date(2040, 9, 1)]
    rises = [frame.ceiling_on(day) for day in days]
    assert rises[:3] == [Money(540_000), Money(580_500), Money(624_037)]
    assert rises[3] == rises[4]


def test_two_rates_of_a_day_and_a_rate_without_a_frame_are_refused() -> None:
    with pytest.raises(Refused, match="hai mức cùng hiệu lực"):
        check_rates([rate(), rate()], FRAMES)
    with pytest.raises(Refused, match="không có khung"):
        check_rates([rate(valid=Span(date(2020, 9, 1)))], FRAMES)


def test_the_nearer_rate_goes_before_the_general_one() -> None:
    general, nearer = rate(), rate(dong=140_000, zone="rural")
    found = [
        rate_for(RateKind.TUITION, Where(Level.PRIMARY, zone, ""), date(2025, 9, 1), [nearer, general])
        for zone in ("rural", "ward")
    ]
    assert found == [nearer, general]


def test_the_national_file_holds_the_learning_cost_support_and_no_tuition() -> None:
    file = national_rates()
    assert {(each.kind, each.amount, each.months) for each in file.rates} == {(RateKind.LEARNING, Money(150_000), 9)}
    assert {each.code for each in file.entitlements} == {"MOCOI", "KHUYETTAT", "HONGHEO"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"amount": 0}, "lớn hơn 0 đ"),
        ({"months": 13}, "từ 1 đến 12"),
        ({"levels": []}, "thiếu “levels”"),
        ({"basis": "?"}, "không có trong “sources”"),
        ({"valid_from": "2025-09-05"}, "ngày đầu tháng"),
        ({"kind": "gift"}, "phải là một trong"),
        ({"zone": "ward"}, "trường lạ: zone"),
    ],
)
def test_a_bad_entry_is_named(change: dict[str, object], why: str) -> None:
    file = json.loads(json.dumps(INVENTED))
    file["rates"] = [{**file["rates"][0], **change}]
    with pytest.raises(BadCatalogue, match=rf"tep\.json, mục rates\[1\]: .*{why}"):
        parse_rates(json.dumps(file), "tep.json")


def test_summer_is_a_month_of_study_where_months_studied_are_paid() -> None:
    july = date(2026, 7, 1)
    assert [is_study_month(level, july) for level in (Level.PRESCHOOL, Level.CONTINUING, Level.PRIMARY)] == [
        True,
        True,
        False,
    ]
