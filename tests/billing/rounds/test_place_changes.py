"""A commune changes class within the year: each month is charged, supported and claimed by the place of its days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from billing.audit.tables import AuditEntry
from billing.bills.tables import Bill, BillLine
from billing.claims.claiming import claim_lines
from billing.errors import Conflict, NotAllowed, OverCap, Refused, SamePerson
from billing.fees.council_rates import RateFile, RateKind
from billing.fees.items import Level, Span
from billing.fees.place_tables import SchoolPlace
from billing.fees.places import Located
from billing.fees.placing import NewPlace, approve_place, ask_place, first_place, read_places, withdraw_place
from billing.fees.pricing import NewPrice, add_price
from billing.fees.support import NewChoice, approve_choice, choose_support, load_rates
from billing.money import Money
from billing.vault import Vault
from service.database import EVERYTHING, Database, libpq_url
from service.preparing import Addresses, alembic_config
from tests.billing.rounds.makers import as_school
from tests.factories.claims import approved_claim, rate
from tests.factories.rounds import BillingSchool, issued_round, make_billing_school
from tests.standing import standing

NOVEMBER = Span(date(2025, 11, 1), date(2025, 11, 30))
DECEMBER = Span(date(2025, 12, 1), date(2025, 12, 31))
IN_NOVEMBER = datetime(2025, 11, 3, 1, tzinfo=UTC)
IN_DECEMBER = datetime(2025, 12, 3, 1, tzinfo=UTC)
RURAL = NewPlace("rural", "binh_phuoc", "QĐ 31/2025", NOVEMBER.start)


def move(session: Session, billing: BillingSchool, now: datetime, new: NewPlace = RURAL) -> UUID:
    asked = ask_place(session, billing.school, billing.accountant, new, now)
    approve_place(session, billing.school, asked.id, billing.approver, now)
    return asked.id


def boarding(session: Session) -> list[tuple[str, Money]]:
    lines = session.exec(select(BillLine).where(BillLine.item_code == "BANTRU")).all()
    periods = {bill.id: bill.period for bill in session.exec(select(Bill)).all()}
    return sorted((periods[line.bill_id], line.gross) for line in lines)


def test_october_keeps_its_bill_and_november_must_keep_the_new_cap(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    """The school's ward becomes a rural commune on 1 November: boarding may cost 280 000 đ instead of 300 000 đ."""
    with as_school(database, billing) as session:
        issued_round(session, billing, now)
        move(session, billing, now + timedelta(days=1))
    with pytest.raises(OverCap, match=r"280\.000 đ"), as_school(database, billing) as session:
        issued_round(session, billing, IN_NOVEMBER, NOVEMBER, "2025-11")
    with as_school(database, billing) as session:
        cheaper = NewPrice(Money(280_000), NOVEMBER.start, date(2026, 5, 31))
        add_price(session, billing.school, "BANTRU", cheaper, billing.accountant, IN_NOVEMBER)
        issued_round(session, billing, IN_NOVEMBER, NOVEMBER, "2025-11")
        assert boarding(session) == [("Tháng 10/2025", Money(300_000)), ("Tháng 11/2025", Money(280_000))]


def test_a_price_is_refused_that_a_change_to_come_will_forbid(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    whole_year = NewPrice(Money(290_000), date(2025, 10, 1), date(2026, 5, 31))
    with as_school(database, billing) as session:
        move(session, billing, now)
        with pytest.raises(OverCap, match=r"280\.000 đ"):
            add_price(session, billing.school, "BANTRU", whole_year, billing.accountant, now)


def test_a_round_over_the_day_of_the_change_must_keep_both_caps(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    term = Span(date(2025, 10, 1), DECEMBER.end)
    with as_school(database, billing) as session:
        move(session, billing, now, NewPlace("rural", "binh_phuoc", "QĐ 31/2025", date(2025, 11, 17)))
        with pytest.raises(OverCap, match=r"280\.000 đ"):
            issued_round(session, billing, now, term, "2025-HK1")


def rates_of_two_zones(kind: RateKind) -> RateFile:
    valid = Span(date(2025, 9, 1))
    return RateFile(
        title="Mức bịa ra để thử",
        entitlements=(),
        comments=(),
        rates=tuple(
            rate(kind, dong, level=level, zone=zone, valid=valid)
            for level in Level
            for zone, dong in (("ward", 150_000), ("rural", 110_000))
        ),
        frames=(),
    )


@pytest.fixture
@standing
def private(database: Database, vault: Vault) -> BillingSchool:
    """A private school of three in a province that supports wards and rural communes differently."""
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault, catalogue="private-school")
        load_rates(session, made.school.province_id, rates_of_two_zones(RateKind.SUPPORT))
    return made


def shares(session: Session) -> dict[str, set[Money]]:
    found: dict[str, set[Money]] = {}
    for bill in session.exec(select(Bill)).all():  # tuition only is supported; nothing else is reduced
        found.setdefault(bill.period, set()).add(bill.reduced)
    return found


def test_support_and_claim_take_the_rate_of_the_months_own_place(
    database: Database, private: BillingSchool, now: datetime
) -> None:
    with as_school(database, private) as session:
        to_school = NewChoice("school", "QĐ 12/2025", date(2025, 10, 1), date(2025, 10, 1))
        choice = choose_support(session, private.school, private.accountant, to_school, now)
        approve_choice(session, choice.id, private.approver, now)
        move(session, private, now)
        issued_round(session, private, now)
        issued_round(session, private, IN_NOVEMBER, NOVEMBER, "2025-11")
        assert shares(session) == {"Tháng 10/2025": {Money(150_000)}, "Tháng 11/2025": {Money(110_000)}}
        claim = approved_claim(session, private, RateKind.SUPPORT, IN_NOVEMBER)
        by_month = {line.month.month: line.amount for line in claim_lines(session, claim)}
    assert by_month == {
        9: Money(150_000), 10: Money(150_000), 11: Money(110_000), 12: Money(110_000)
    }  # fmt: skip


def test_it_takes_two_and_one_at_a_time(database: Database, billing: BillingSchool, now: datetime) -> None:
    with as_school(database, billing) as session:
        school, maker, head = billing.school, billing.accountant, billing.approver
        asked = ask_place(session, school, maker, RURAL, now)
        assert [each.zone for each in read_places(session, school.id)] == ["ward"], "asked for is not decided"
        with pytest.raises(Conflict, match="chờ duyệt"):
            ask_place(session, school, maker, RURAL, now)
        with pytest.raises(SamePerson):
            approve_place(session, school, asked.id, maker, now)
        approve_place(session, school, asked.id, head, now)
        with pytest.raises(Conflict):
            withdraw_place(session, school, asked.id, maker, now)
        with pytest.raises(Refused, match="Không có gì thay đổi"):
            ask_place(session, school, maker, RURAL, now)
        # Typed wrongly and approved: the right one takes its place from the same day.
        move(session, billing, now, NewPlace("ethnic_1", "binh_phuoc", "QĐ 31/2025, đính chính", NOVEMBER.start))
        assert [each.zone for each in read_places(session, school.id)][-1] == "ethnic_1"
        dropped = ask_place(session, school, maker, RURAL, now)
        withdraw_place(session, school, dropped.id, maker, now)
        deeds = session.exec(select(AuditEntry.action).where(AuditEntry.object_kind == "school_place")).all()
    assert sorted(deeds) == [
        "place.approve", "place.approve", "place.ask", "place.ask", "place.ask", "place.withdraw"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (NewPlace("moon", "", "QĐ 1", NOVEMBER.start), "một trong các địa bàn"),
        (NewPlace("rural", "atlantis", "QĐ 1", NOVEMBER.start), "tỉnh cũ"),
        (NewPlace("rural", "", " ", NOVEMBER.start), "số quyết định"),
        (NewPlace("rural", "", "QĐ 1", date(2025, 7, 31)), "Không ghi lùi trước 01/08/2025"),
        (NewPlace("ward", "binh_phuoc", "QĐ 1", NOVEMBER.start), "Không có gì thay đổi"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    database: Database, billing: BillingSchool, now: datetime, new: NewPlace, why: str
) -> None:
    with as_school(database, billing) as session, pytest.raises(Refused, match=why):
        ask_place(session, billing.school, billing.accountant, new, now)


def test_where_support_is_taken_off_the_bills_a_month_that_is_over_stays(
    database: Database, private: BillingSchool
) -> None:
    with as_school(database, private) as session:
        move(session, private, IN_DECEMBER, NewPlace("ethnic_1", "binh_phuoc", "QĐ 30", date(2025, 9, 1)))
        to_school = NewChoice("school", "QĐ 12/2025", date(2025, 10, 1), date(2025, 12, 1))
        choice = choose_support(session, private.school, private.accountant, to_school, IN_DECEMBER)
        approve_choice(session, choice.id, private.approver, IN_DECEMBER)
        with pytest.raises(Refused, match="Không ghi lùi trước 01/12/2025"):
            ask_place(session, private.school, private.accountant, RURAL, IN_DECEMBER)


def test_the_migration_makes_todays_columns_the_first_place(
    database: Database, billing: BillingSchool, now: datetime, addresses: Addresses
) -> None:
    """A school in the middle of its year; going back keeps the place of today, going on again makes it the first."""
    with as_school(database, billing) as session:
        move(session, billing, now, NewPlace("ethnic_2", "", "QĐ 9/2025", date(2025, 10, 1)))
    config = alembic_config(addresses.owner)
    command.downgrade(config, "0038-1")
    with psycopg.connect(libpq_url(addresses.owner)) as owner:
        owner.execute("SELECT set_config('app.schools', '*', true)")
        assert owner.execute("SELECT zone, legacy_area FROM schools").fetchall() == [("ethnic_2", "")]
    command.upgrade(config, "head")
    with as_school(database, billing) as session:
        assert read_places(session, billing.id) == (Located("ethnic_2", ""),)


def test_nobody_without_a_name_asks(database: Database, billing: BillingSchool, now: datetime) -> None:
    with as_school(database, billing) as session, pytest.raises(NotAllowed):
        ask_place(session, billing.school, type(billing.accountant)(None, "system", ""), RURAL, now)


def test_the_database_keeps_what_was_decided(database: Database, billing: BillingSchool, now: datetime) -> None:
    with as_school(database, billing) as session:
        place = move(session, billing, now)
        user = billing.accountant.user_id
    first = select(SchoolPlace.id).where(SchoolPlace.school_id == billing.id, SchoolPlace.valid_from.is_(None))  # type: ignore[union-attr]  # a column
    with as_school(database, billing) as session:
        first_id = session.exec(first).one()
    for statement, words in (
        ("UPDATE school_places SET zone = 'ward' WHERE id = :place", "permission denied"),
        ("UPDATE school_places SET withdrawn_at = now() WHERE id = :place", "stays"),
        ("UPDATE school_places SET withdrawn_at = now() WHERE id = :first", "stays"),
        ("DELETE FROM school_places WHERE id = :place", "permission denied"),
        (
            """INSERT INTO school_places (id, school_id, zone, legacy_area, valid_from, decision_number, made_by,
            made_at, approved_by, approved_at) SELECT gen_random_uuid(), school_id, 'rural', '', '2025-12-01', 'QĐ',
            :user, now(), approved_by, now() FROM school_places WHERE id = :place""",
            "before it is decided",
        ),
    ):
        with pytest.raises(DBAPIError, match=words), as_school(database, billing) as session:
            session.execute(text(statement), {"place": place, "first": first_id, "user": user})
    with pytest.raises(DBAPIError, match="uq_school_places_first"), as_school(database, billing) as session:
        first_place(session, billing.id, "rural", "", now)
