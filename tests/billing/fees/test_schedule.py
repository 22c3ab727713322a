"""A catalogue goes into a school's rows and comes out as the rules take it."""

import json
from datetime import date

import pytest
from sqlmodel import select

from billing.audit.tables import AuditDetail, AuditEntry
from billing.errors import OverCap, Refused
from billing.fees.cap_rows import load_caps, read_rules
from billing.fees.catalogue import Catalogue, parse_catalogue, shipped_catalogue, shipped_rules
from billing.fees.errors import Prohibited
from billing.fees.items import Span
from billing.fees.schedule import item_ids, judge_schedule, load_catalogue, read_schedule
from billing.fees.tables import FeeCap, FeeItem
from billing.ledger.tables import LedgerAccount
from billing.people.tables import School
from service.database import EVERYTHING, Database
from tests.billing.fees.test_catalogue import changed
from tests.factories.fees import OCTOBER
from tests.factories.schools import MADE_AT, make_account, make_school, make_user

YEAR = Span(date(2025, 9, 1), date(2026, 5, 31))


def parsed(section: str, **fields: object) -> Catalogue:
    return parse_catalogue(json.dumps(changed(section, **fields)), "thu.json")


@pytest.mark.parametrize("name", ["public-primary", "public-preschool", "public-upper-secondary", "private-school"])
def test_what_is_loaded_is_what_is_read(database: Database, name: str) -> None:
    level = {"public-preschool": "preschool", "public-upper-secondary": "upper_secondary"}.get(name, "primary")
    catalogue = shipped_catalogue(name)
    with database.transaction(EVERYTHING) as session:
        school = make_school(session, kind=name.partition("-")[0], levels=(level,))
        account = make_account(session, school)
        verdicts = load_catalogue(session, school, catalogue, {"main": account.id}, MADE_AT)
        schedule = read_schedule(session, school, YEAR)
        expected = {price.item.code: (price.amount, price.valid, price.quantity) for price in catalogue.prices}
        assert {price.item.code: (price.amount, price.valid, price.quantity) for price in schedule.prices} == expected
        assert {price.item.account for price in schedule.prices} == {str(account.id)}
        assert {(each.percent, each.items, each.payer, each.from_sibling) for each in schedule.reductions} == {
            (each.percent, each.items, each.payer, each.from_sibling) for each in catalogue.reductions
        }
        assert item_ids(session, school.id).keys() == {item.code for item in catalogue.items}
        assert {each.item.code for each in verdicts} == expected.keys()
        assert len(judge_schedule(session, school, schedule, YEAR)) == len(expected)


def test_only_what_holds_in_the_period_is_read(database: Database) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        load_catalogue(
            session, school, shipped_catalogue("public-primary"), {"main": make_account(session, school).id}, MADE_AT
        )
        in_october = {price.item.code for price in read_schedule(session, school, OCTOBER).prices}
        november = Span(date(2025, 11, 1), date(2025, 11, 30))
        in_november = {price.item.code for price in read_schedule(session, school, november).prices}
        summer = Span(date(2026, 6, 1), date(2026, 6, 30))
        assert in_october - in_november == {"BHYT-3T"}
        assert read_schedule(session, school, summer).prices == ()


def test_revenue_accounts_are_opened_by_their_kind(database: Database) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        load_catalogue(
            session, school, shipped_catalogue("public-primary"), {"main": make_account(session, school).id}, MADE_AT
        )
        rows = session.exec(select(LedgerAccount).where(LedgerAccount.school_id == school.id)).all()
        kinds = {row.code: row.kind for row in rows}
        assert (kinds["531"], kinds["3381"]) == ("income", "pass_through")


def test_public_tuition_is_marked_as_the_states(database: Database) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session, levels=("preschool",))
        load_catalogue(
            session, school, shipped_catalogue("public-preschool"), {"main": make_account(session, school).id}, MADE_AT
        )
        payers = {row.code: row.payer for row in session.exec(select(FeeItem)).all()}
        assert payers["HOCPHI"] == "state"
        assert {payer for code, payer in payers.items() if code != "HOCPHI"} == {"family"}


def load(database: Database, catalogue: Catalogue, **school_fields: str) -> School:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session, **school_fields)  # type: ignore[arg-type]  # zone, area, kind
        load_catalogue(session, school, catalogue, {"main": make_account(session, school).id}, MADE_AT)
        return school


def test_a_price_above_the_cap_is_refused_when_loaded_and_nothing_stays(database: Database) -> None:
    with pytest.raises(OverCap, match=r"280\.000 đ theo Nghị quyết 08/2025"):
        load(database, shipped_catalogue("public-primary"), zone="rural")
    with database.transaction(EVERYTHING) as session:
        assert session.exec(select(FeeItem)).all() == []
    load(database, shipped_catalogue("public-primary"), zone="rural", area="dong_nai")


def test_a_prohibited_item_is_refused_with_its_article(database: Database) -> None:
    with pytest.raises(Prohibited, match="55/2011/TT-BGDĐT"):
        load(database, parsed("items", name="Tiền gửi xe"))
    load(database, parsed("items", name="Tiền gửi xe"), kind="private")


def test_loading_again_is_refused_by_name(database: Database) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        accounts = {"main": make_account(session, school).id}
        load_catalogue(session, school, parsed("items"), accounts, MADE_AT)
        with pytest.raises(Refused, match="đã có các khoản thu: A"):
            load_catalogue(session, school, parsed("items"), accounts, MADE_AT)


def test_loading_is_a_deed_with_its_prices(database: Database) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        accounts = {"main": make_account(session, school).id}
        actor = make_user(session, school)
        load_catalogue(session, school, parsed("items"), accounts, MADE_AT, actor=actor)
        (deed,) = session.exec(select(AuditEntry)).all()
        assert (deed.action, deed.actor_id, deed.school_id) == ("fees.load", actor.user_id, school.id)
        assert session.exec(select(AuditDetail)).one().details == {"catalogue": "thu", "prices": {"A": 10000}}


def test_every_account_of_the_catalogue_must_be_chosen(database: Database) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        with pytest.raises(Refused, match="chưa chọn tài khoản nhận tiền cho “main”"):
            load_catalogue(session, school, parsed("items"), {}, MADE_AT)


def test_caps_are_stored_once_for_a_province_and_read_as_they_were(database: Database) -> None:
    caps = shipped_rules().caps
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        load_caps(session, school.province_id, caps)
        load_caps(session, school.province_id, caps)
        assert len(session.exec(select(FeeCap)).all()) == len(caps)
        assert set(read_rules(session, school.province_id).caps) == set(caps)
        other = make_school(session)
        assert read_rules(session, other.province_id).caps == ()
