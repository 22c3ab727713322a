"""More time that a family was given stands on slip, letter and notice by Zalo; where it does not hold, nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from billing.documents.slip_filling import Printing, slip
from billing.events.tables import Event
from billing.payments.relieving import MoreTime, approve_relief, ask_grace
from billing.payments.tables import PaymentRequest
from billing.vault import Vault
from notifications.gathering import change_facts, notice_facts
from notifications.rules import Kind
from notifications.wording.facts import NoticeFacts
from notifications.wording.letters import letter, notice_letter
from notifications.wording.plain import Language
from notifications.wording.zns import notice_params
from service.database import Database
from tests.billing.credits.credit_world import MEAL, School, make_school
from tests.billing.moving.test_leaving import LATER
from tests.standing import standing

TODAY = date(2025, 12, 1)
CHRISTMAS = date(2025, 12, 25)
PAGE = "https://hocphi.example/t/x"


@pytest.fixture
@standing
def school(database: Database, vault: Vault, now: object) -> School:
    made = make_school(database, vault, now)  # type: ignore[arg-type]  # the fixture's moment
    with made.open() as session:
        made.bill_month(session, 10)
    return made


def links(session: Session, requests: Sequence[PaymentRequest]) -> dict[UUID, str]:
    del session
    return {each.id: PAGE for each in requests}


def request_of(school: School, session: Session, child: int = 0) -> UUID:
    found = select(PaymentRequest.id).where(PaymentRequest.pupil_id == school.pupil(child))
    return session.exec(found.order_by(col(PaymentRequest.created_at).desc())).first() or UUID(int=0)


def give(school: School, session: Session, until: date = CHRISTMAS) -> None:
    wanted = MoreTime(school.pupil(), None, until, "Đơn của gia đình")
    asked = ask_grace(session, school.billing.accountant, school.id, wanted, LATER)
    approve_relief(session, school.billing.approver, school.id, asked.id, LATER)


def notice(school: School, session: Session, child: int = 0, today: date = TODAY) -> NoticeFacts:
    request = request_of(school, session, child)
    return notice_facts(session, school.id, [request], links, today)[request]


@pytest.mark.parametrize(("language", "words"), [("vi", "gia hạn đến Thứ Năm, 25/12/2025"), ("en", "more time until")])
def test_slip_letter_and_zalo_tell_of_more_time(school: School, language: Language, words: str) -> None:
    with school.open() as session:
        assert words not in notice_letter(notice(school, session), "", language).text
        assert slip(session, request_of(school, session), Printing(PAGE, TODAY)).grace is None
        give(school, session)
        facts = notice(school, session)
        told = notice_letter(facts, "", language)
        assert words in told.text
        assert words in told.html
        assert facts.deadline < CHRISTMAS, "the day of the bill stays"
        assert notice_params(facts, "")["due_date"] == "25/12/2025"
        assert slip(session, request_of(school, session), Printing(PAGE, TODAY)).grace == CHRISTMAS
        assert notice(school, session, 1).grace is None, "another child's"
        assert notice(school, session, today=date(2025, 12, 26)).grace is None, "it is over"
        assert replace(facts, grace=None) == replace(notice(school, session), grace=None)


def test_what_is_still_asked_after_a_change_tells_of_it_too(school: School) -> None:
    with school.open() as session:
        give(school, session)
        school.lower(session, 10, "TIENAN", MEAL)
        events = session.exec(select(Event).where(Event.kind == "bill_credited")).all()
        assert events
        for facts in change_facts(session, school.id, events, links, TODAY).values():
            assert "gia hạn đến Thứ Năm, 25/12/2025" in letter(Kind.BILL_CREDITED, facts, "").text
