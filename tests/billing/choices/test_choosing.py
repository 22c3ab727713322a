"""The family's story: an item is opened, chosen with a proved contact, ended, refused; a round charges just that."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from billing.audit.tables import AuditEntry
from billing.bills.tables import Bill, BillLine
from billing.choices.choosing import Seen, choose, refuse_choice
from billing.choices.offering import NewOffer, close_offer, open_offer
from billing.choices.reading import has_choices, missed_months
from billing.choices.tables import ChoiceOffer, FamilyChoice
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.items import Span
from billing.money import Money
from billing.plans.rules import local_day
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.choices.choice_world import (
    DEADLINE,
    GUARDIAN,
    NOVEMBER,
    NOW,
    Family,
    choice_ids,
    opened,
    registrations,
)
from tests.factories.plans import approved_plan
from tests.factories.rounds import BillingSchool, issued_round, make_billing_school, register
from tests.factories.schools import make_guardian

DAYS = Span(NOVEMBER, date(2025, 11, 30))
LATE = datetime(2025, 10, 20, 17, tzinfo=UTC)  # midnight in Viet Nam: the deadline is over
IN_NOVEMBER = datetime(2025, 11, 12, 3, tzinfo=UTC)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction(EVERYTHING) as opened_:
        yield opened_


@pytest.fixture
def billing(session: Session, vault: Vault) -> BillingSchool:
    return make_billing_school(session, vault, pupils=2)


@pytest.fixture
def family(session: Session, billing: BillingSchool) -> Family:
    return Family(session, billing, billing.pupils[0])


def charged(session: Session, billing: BillingSchool, number: int, days: Span, code: str) -> set[str]:
    """Issue a round and return the codes of what a child is charged."""
    issued_round(session, billing, NOW, days, code)
    lines = session.exec(
        select(BillLine.item_code)
        .join(Bill, col(Bill.id) == col(BillLine.bill_id))
        .where(Bill.pupil_id == billing.pupils[number].id, Bill.period == code)
    ).all()
    return set(lines)


def test_who_chooses_is_charged_and_who_does_not_is_never(
    session: Session, billing: BillingSchool, family: Family
) -> None:
    offer = opened(session, billing)
    assert family.sees().held == ()
    assert family.chooses(offer)
    assert registrations(session, billing.pupils[0]) == [(NOVEMBER, None, False)]
    issued_round(session, billing, NOW, DAYS, "2025-11")
    rows = session.exec(
        select(Bill.pupil_id, BillLine.item_code).join(BillLine, col(BillLine.bill_id) == col(Bill.id))
    ).all()
    of_first = {code for pupil, code in rows if pupil == billing.pupils[0].id}
    of_second = {code for pupil, code in rows if pupil == billing.pupils[1].id}
    assert "BANTRU" in of_first
    assert of_second
    assert "BANTRU" not in of_second
    assert registrations(session, billing.pupils[1]) == []


def test_the_evidence_is_what_was_shown(session: Session, billing: BillingSchool, family: Family) -> None:
    approved_plan(session, billing, datetime(2025, 9, 28, 3, tzinfo=UTC))
    offer = opened(session, billing)
    [shown] = family.sees().open
    assert shown.statement.lines[0].startswith("Tiền tổ chức, quản lý và vệ sinh bán trú: ")
    assert "300.000 đ/tháng" in shown.statement.text
    assert "Số 12/QĐ-UBND ngày 01/09/2025 (UBND phường)" in shown.statement.text
    assert "Ăn, ngủ trưa tại lớp." in shown.statement.lines
    assert "tự nguyện" in shown.statement.text
    assert family.chooses(offer)
    kept = session.exec(select(FamilyChoice)).one()
    assert kept.words == shown.statement.text
    assert kept.words_sha256 == sha256(shown.statement.text.encode()).digest()
    assert kept.price == Money(300_000)
    assert (kept.kind, kept.day, kept.offer_id, kept.at) == ("register", NOVEMBER, offer.id, NOW)
    assert [kept.guardian_id] == list(family.chooser.guardians)
    assert kept.contact_masked.startswith("…")
    [(evidence, source)] = session.execute(text("SELECT evidence, source FROM opt_ins")).all()
    assert source == "family"
    assert str(kept.id) in evidence
    assert kept.contact_masked in evidence
    done = session.exec(select(AuditEntry.action).where(AuditEntry.actor_role == "guardian")).all()
    assert sorted(done) == ["choices.register", "fees.register"]


def test_doing_it_twice_adds_nothing(session: Session, billing: BillingSchool, family: Family, vault: Vault) -> None:
    make_guardian(session, vault, billing.pupils[0], name="Trần Thị Hồng", phone="0901234999")
    offer = opened(session, billing)
    assert family.chooses(offer)
    seen = Seen(b"", "vi")
    assert not family.chooses(offer, seen=seen)
    assert not replace(family, number=1).chooses(offer, seen=seen)
    assert len(choice_ids(session)) == 1
    assert len(registrations(session, billing.pupils[0])) == 1


def test_two_guardians_at_once_register_once(database: Database, vault: Vault) -> None:
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=1)
        make_guardian(session, vault, billing.pupils[0], name="Trần Thị Hồng", phone="0901234999")
        offer = opened(session, billing)
        digest = Family(session, billing, billing.pupils[0]).sees().open[0].statement.digest
        choosers = [Family(session, billing, billing.pupils[0], number).chooser for number in (0, 1)]
        school_id, offer_id = billing.id, offer.id

    def act(number: int) -> bool:
        with database.transaction(EVERYTHING) as session:
            return choose(session, school_id, choosers[number], offer_id, Seen(digest, "vi"), GUARDIAN, NOW)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(act, (0, 1))) == [False, True]
    with database.transaction(EVERYTHING) as session:
        assert len(choice_ids(session)) == 1
        assert len(registrations(session, billing.pupils[0])) == 1


def test_after_the_deadline_or_the_close_nobody_registers(
    session: Session, billing: BillingSchool, family: Family
) -> None:
    offer = opened(session, billing)
    digest = family.sees().open[0].statement.digest
    assert family.sees(LATE).open == ()
    assert not has_choices(session, billing.id, billing.pupils[0].id, local_day(LATE))
    with pytest.raises(Refused, match=r"hết thời gian đăng ký .*20/10/2025"):
        family.chooses(offer, LATE, Seen(digest, "vi"))
    close_offer(session, billing.id, offer.id, billing.accountant, NOW)
    with pytest.raises(Refused, match="xin hỏi văn phòng"):
        family.chooses(offer, NOW, Seen(digest, "vi"))
    with pytest.raises(Conflict):
        close_offer(session, billing.id, offer.id, billing.accountant, NOW)
    assert choice_ids(session) == []


def test_a_page_that_grew_old_is_refused(session: Session, billing: BillingSchool, family: Family) -> None:
    offer = opened(session, billing)
    digest = family.sees().open[0].statement.digest
    session.execute(text("UPDATE fee_prices SET withdrawn_at = now() WHERE amount = 300000"))
    session.expire_all()
    with pytest.raises(Refused, match="không mở cho lớp"):
        family.chooses(offer, seen=Seen(digest, "vi"))
    session.execute(text("UPDATE fee_prices SET withdrawn_at = NULL"))
    session.expire_all()
    with pytest.raises(Conflict, match="vừa thay đổi"):
        family.chooses(offer, seen=Seen(sha256(b"another").digest(), "vi"))
    assert registrations(session, billing.pupils[0]) == []


def test_nobody_chooses_for_the_child_of_others_or_at_another_school(
    session: Session, billing: BillingSchool, family: Family, vault: Vault
) -> None:
    offer = opened(session, billing)
    digest = family.sees().open[0].statement.digest
    foreign = replace(family.chooser, pupil_id=billing.pupils[1].id)
    with pytest.raises(NotAllowed):
        choose(session, billing.id, foreign, offer.id, Seen(digest, "vi"), GUARDIAN, NOW)
    other = make_billing_school(session, vault, pupils=1)
    theirs = opened(session, other)
    with pytest.raises(NotFound):
        choose(session, billing.id, family.chooser, theirs.id, Seen(digest, "vi"), GUARDIAN, NOW)
    assert choice_ids(session) == []


def test_an_end_is_never_in_the_middle_of_a_month_nor_of_what_is_billed(
    session: Session, billing: BillingSchool, family: Family
) -> None:
    register(session, billing.pupils[0], "BANTRU", "TIENAN")
    assert family.stops("TIENAN")
    assert registrations(session, billing.pupils[0], "TIENAN") == [(date(2025, 9, 1), date(2025, 10, 31), False)]
    assert not family.stops("TIENAN")
    issued_round(session, billing, NOW, DAYS, "2025-11")
    [boarding] = [each for each in family.sees().held if each.item.code == "BANTRU"]
    assert boarding.last == date(2025, 11, 30)
    assert family.stops("BANTRU")
    assert registrations(session, billing.pupils[0]) == [(date(2025, 9, 1), date(2025, 11, 30), False)]
    kept = session.exec(select(FamilyChoice).order_by(col(FamilyChoice.day))).all()
    assert [(each.kind, each.day) for each in kept] == [("end", date(2025, 10, 31)), ("end", date(2025, 11, 30))]
    assert "30/11/2025" in kept[1].words
    assert "BANTRU" not in charged(session, billing, 0, Span(date(2025, 12, 1), date(2025, 12, 31)), "2025-12")


def test_a_coming_registration_is_taken_back_whole_and_may_be_made_again(
    session: Session, billing: BillingSchool, family: Family
) -> None:
    offer = opened(session, billing)
    assert family.chooses(offer)
    [held] = family.sees().held
    assert held.statement is not None
    assert held.statement.text.startswith("Rút đăng ký")
    assert family.stops("BANTRU")
    assert registrations(session, billing.pupils[0]) == [(NOVEMBER, None, True)]
    assert family.chooses(offer)
    assert registrations(session, billing.pupils[0]) == [(NOVEMBER, None, True), (NOVEMBER, None, False)]


def test_late_choosers_begin_with_the_next_month(session: Session, billing: BillingSchool, family: Family) -> None:
    offer = opened(session, billing, closes=date(2025, 12, 31))
    assert family.chooses(offer, IN_NOVEMBER)
    assert registrations(session, billing.pupils[0]) == [(date(2025, 12, 1), None, False)]


def test_the_school_refuses_with_a_reason_that_the_family_reads(
    session: Session, billing: BillingSchool, family: Family
) -> None:
    offer = opened(session, billing)
    family.chooses(offer)
    [choice_id] = choice_ids(session)
    with pytest.raises(Refused, match="lý do"):
        refuse_choice(session, billing.id, choice_id, " ", billing.accountant, NOW)
    refuse_choice(session, billing.id, choice_id, "Bếp đã đủ 40 suất", billing.accountant, NOW)
    assert registrations(session, billing.pupils[0]) == [(NOVEMBER, None, True)]
    seen = family.sees()
    assert (seen.open, seen.held) == ((), ())
    assert [each.reason for each in seen.refused] == ["Bếp đã đủ 40 suất"]
    assert has_choices(session, billing.id, billing.pupils[0].id, local_day(NOW))
    with pytest.raises(Refused, match="Bếp đã đủ 40 suất"):
        family.chooses(offer)
    with pytest.raises(Conflict):
        refuse_choice(session, billing.id, choice_id, "lần nữa", billing.accountant, NOW)
    assert "BANTRU" not in charged(session, billing, 0, DAYS, "2025-11")


def test_a_yes_for_a_month_that_was_billed_before_is_pointed_out(
    session: Session, billing: BillingSchool, family: Family
) -> None:
    offer = opened(session, billing)
    first, second = (child.enrolment.id for child in billing.pupils)
    issued_round(session, billing, NOW, DAYS, "2025-11")
    assert family.chooses(offer)
    days = {first: NOVEMBER, second: date(2025, 12, 1)}
    assert missed_months(session, billing.id, offer.item_id, days) == {first}
    december = {first: date(2025, 12, 1)}
    issued_round(session, billing, NOW, Span(date(2025, 12, 1), date(2025, 12, 31)), "2025-12")
    assert missed_months(session, billing.id, offer.item_id, december) == frozenset()


def test_what_is_billed_is_refused_no_more(session: Session, billing: BillingSchool, family: Family) -> None:
    family.chooses(opened(session, billing))
    issued_round(session, billing, NOW, DAYS, "2025-11")
    [choice_id] = choice_ids(session)
    with pytest.raises(Refused, match="đã có thông báo thu đến 30/11/2025"):
        refuse_choice(session, billing.id, choice_id, "Hết chỗ", billing.accountant, NOW)
    assert registrations(session, billing.pupils[0]) == [(NOVEMBER, None, False)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "NUOCUONG"}, "mọi học sinh"),
        ({"closes_on": date(2025, 10, 5)}, "đã qua"),
        ({"first_day": date(2025, 10, 5)}, "đã qua"),
        ({"words": "  "}, "dùng vào việc gì"),
        ({"words": "a" * 601}, "không quá 600"),
        ({"first_day": date(2031, 1, 1)}, "chưa có mức thu"),
    ],
)
def test_what_cannot_be_opened(
    session: Session, billing: BillingSchool, change: dict[str, str | date], said: str
) -> None:
    good = NewOffer("BANTRU", NOVEMBER, DEADLINE, "Ăn, ngủ trưa tại lớp.")
    session.execute(text("UPDATE fee_prices SET valid_to = '2026-05-31' WHERE valid_to IS NULL"))
    session.expire_all()
    with pytest.raises(Refused, match=said):
        open_offer(session, billing.id, replace(good, **change), billing.accountant, NOW)  # type: ignore[arg-type]  # a table of fields
    assert session.exec(select(ChoiceOffer)).all() == []


def test_an_item_is_open_once_at_a_time(session: Session, billing: BillingSchool) -> None:
    first = opened(session, billing)
    with pytest.raises(Conflict, match="đang mở đăng ký đến 20/10/2025"):
        opened(session, billing)
    close_offer(session, billing.id, first.id, billing.accountant, NOW)
    assert opened(session, billing).id != first.id


_COPY = (
    "INSERT INTO family_choices (id, school_id, offer_id, item_id, enrolment_id, kind, day, price, guardian_id,"
    " contact_kind, contact_masked, session_hash, words, words_sha256, at) SELECT gen_random_uuid(), school_id,"
    " {offer}, item_id, {enrolment}, kind, day, price, guardian_id, contact_kind, contact_masked, session_hash,"
    " {words}, words_sha256, {at} FROM family_choices"
)
_SAME = {"offer": "offer_id", "enrolment": "enrolment_id", "words": "words", "at": "at"}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE family_choices SET price = 1", "permission denied"),
        ("DELETE FROM family_choices", "permission denied"),
        ("UPDATE choice_offers SET closes_on = '2026-01-01'", "permission denied"),
        (_COPY.format(**{**_SAME, "at": "at + interval '30 days'"}), "not open"),
        (_COPY.format(**{**_SAME, "words": "words || '.'"}), "words_as_digested"),
        (
            _COPY.format(
                **{**_SAME, "enrolment": "(SELECT e.id FROM enrolments e WHERE e.id <> enrolment_id LIMIT 1)"}
            ),
            "child of others",
        ),
        (_COPY.format(**{**_SAME, "offer": "NULL"}), "not open"),
    ],
    ids=["price", "away", "deadline", "late", "words", "child", "no offer"],
)
def test_the_database_keeps_the_evidence(
    session: Session, billing: BillingSchool, family: Family, statement: str, said: str
) -> None:
    family.chooses(opened(session, billing))
    with pytest.raises(DBAPIError, match=said), session.begin_nested():
        session.execute(text(statement))
