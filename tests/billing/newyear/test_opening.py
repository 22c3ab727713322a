"""What is open and kept crosses the border of a year once: the accountant's stories, and the signed list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, col

from billing.bills.tables import Bill
from billing.credits.reading import credit_of
from billing.credits.refunding import Wanted, approve_refund, ask_refund
from billing.documents.payment_qr import payload_for
from billing.documents.vietqr import decode
from billing.errors import Conflict, SamePerson
from billing.fees.items import Span
from billing.ledger.accounts import FAMILY_CREDIT, FAMILY_RECEIVABLE
from billing.ledger.balances import trial_balance
from billing.money import ZERO, Money, total
from billing.newyear.choosing import choose_usual
from billing.newyear.copying import copy_prices, preview_prices
from billing.newyear.opening import (
    OpeningLine,
    as_lines,
    digest_of_lines,
    draw_up,
    lines_of,
    newest_opening,
    opening_now,
    sign,
    signature_of,
)
from billing.newyear.promotion import promote
from billing.newyear.tables import YearOpening
from billing.payments.balances import bill_balances, call_of, request_balances
from billing.payments.tables import PaymentRequest
from billing.rounds.approving import approve_round, submit_round
from billing.rounds.drafting import RoundPlan, draft_round
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from notifications.gathering import notice_facts
from service.database import EVERYTHING
from tests.billing.newyear.year_world import FIRST_DAY, NEW_YEAR, YearSchool
from tests.factories.fees import weekdays
from tests.factories.rounds import REFERENCE_KEY, requests_of

SEPTEMBER = Span(date(2026, 9, 1), date(2026, 9, 30))
AUTUMN = datetime(2026, 9, 3, 2, 0, tzinfo=UTC)


def draw(school: YearSchool, session: Session) -> YearOpening:
    return draw_up(session, school.id, NEW_YEAR, school.billing.accountant, school.later)


def roll_over(school: YearSchool, session: Session) -> None:
    """Do the steps of the new year: classes, prices as they were, everybody one grade on."""
    accountant = school.billing.accountant
    school.classes(session)
    rows = preview_prices(session, school.billing.school, NEW_YEAR, {})
    amounts = {row.carried.key: row.amount for row in rows}
    copy_prices(session, school.billing.school, NEW_YEAR, amounts, accountant, school.later)
    choose_usual(session, school.billing.school, NEW_YEAR, None, accountant, school.later)
    promote(session, school.vault, school.id, NEW_YEAR, FIRST_DAY, accountant, school.later)


def bill_september(school: YearSchool, session: Session) -> None:
    plan = RoundPlan(
        school.id, NEW_YEAR, "2026-09", "Đợt thu 2026-09", SEPTEMBER, weekdays(SEPTEMBER), date(2026, 9, 20)
    )
    made = draft_round(session, school.billing.accountant, plan, AUTUMN)
    preview_round(session, made.id, school.billing.accountant, AUTUMN)
    submit_round(session, made.id, school.billing.accountant, AUTUMN)
    approve_round(session, made.id, school.billing.approver, AUTUMN, confirm=True)
    issue_round(session, made.id, AUTUMN, REFERENCE_KEY)


def links(session: Session, requests: Sequence[PaymentRequest]) -> dict[UUID, str]:
    del session
    return {each.id: "https://hocphi.example/t/x" for each in requests}


def sums(session: Session, school: YearSchool) -> tuple[Money, Money]:
    """Return what the book says is receivable of families, and kept for them."""
    balance = trial_balance(session, school.id)
    return balance.get(FAMILY_RECEIVABLE, ZERO), -balance.get(FAMILY_CREDIT, ZERO)


def test_unpaid_last_year_is_on_the_first_notice_of_the_new_year_by_month(school: YearSchool) -> None:
    """The second pupil paid nothing of October and November; one QR asks for them and for September."""
    with school.open() as session:
        was = bill_balances(session, col(Bill.pupil_id) == school.pupil(1))
        roll_over(school, session)
        sign(session, school.id, draw(school, session).id, school.billing.approver, school.later)
        bill_september(school, session)
        bills = bill_balances(session, col(Bill.pupil_id) == school.pupil(1))
        assert bills[:2] == was, "old bills stay as they are"
        request = requests_of(session, school.billing.pupils[1])[-1]
        asked = request_balances(session, school.id, [request.id])[request.id]
        call = call_of(asked, AUTUMN.date())
        assert call is not None
        assert [month for month, _ in call.months] == ["Tháng 10/2025", "Tháng 11/2025", "Tháng 9/2026"]
        assert call.now == total(each.rest for each in bills)
        (told,) = notice_facts(session, school.id, [request.id], links, AUTUMN.date()).values()
        assert [line.label for line in told.months] == [month for month, _ in call.months], "the letter says the same"
        payload = payload_for(school.billing.account, request, call.now)
        assert payload is not None
        assert decode(payload).amount == call.now, "one QR over all of it"
        assert asked[2].family_due == total(each.rest for each in bills) - total(each.rest for each in was)


def test_overpaid_last_year_pays_in_the_new_one_or_is_given_back(school: YearSchool) -> None:
    """The first pupil paid 50.000 đ too much in October; the rest of November is paid, and June finds it kept."""
    with school.open() as session:
        bill = school.bill(session, 11)
        school.pay(session, 11)
        assert school.kept(session) == {None: 50_000}
        assert bill.rest > ZERO
        roll_over(school, session)
        opening = draw(school, session)
        sign(session, school.id, opening.id, school.billing.approver, school.later)
        assert opening.credit == Money(50_000)
        (kept,) = [line for line in lines_of(session, opening) if line.kind == "credit"]
        assert (kept.pupil_id, kept.item_code, kept.amount) == (school.pupil(0), None, Money(50_000))
        bill_september(school, session)
        (september,) = [each for each in bill_balances(session, col(Bill.pupil_id) == school.pupil(0))
                        if each.period == "Tháng 9/2026"]  # fmt: skip
        assert september.rest == ZERO
        assert september.by_credit == september.family_due
        rest = Money(50_000) - september.by_credit
        assert school.kept(session) == {None: rest.dong}
        wanted = [Wanted(school.pupil(0), None, rest)]
        asked = ask_refund(session, school.vault, school.billing.accountant, school.id, wanted, "Nộp thừa", AUTUMN)
        approve_refund(session, asked.id, school.billing.approver, AUTUMN)
        assert school.kept(session) == {}


def test_the_list_ties_to_the_book_and_crosses_the_border_once(school: YearSchool) -> None:
    with school.open() as session:
        school.lower(session, 10, "TIENAN", Money(64_000))
        before = sums(session, school)
        opening = draw(school, session)
        assert (opening.due, opening.credit) == before
        assert opening.pupils == 3
        roll_over(school, session)
        assert sums(session, school) == before, "the steps of the new year move no money"
        again = draw(school, session)
        assert (again.due, again.credit) == before
        sign(session, school.id, again.id, school.billing.approver, school.later)
        assert signature_of(session, again) is not None


def test_two_people_sign_and_signed_nothing_changes_it(school: YearSchool) -> None:
    with school.open() as session:
        opening = draw(school, session)
        assert draw(school, session).id == opening.id, "the same list twice is one"
        with pytest.raises(SamePerson):
            sign(session, school.id, opening.id, school.billing.accountant, school.later)
        school.pay(session, 11, 1)
        with pytest.raises(Conflict, match="đã đổi sau khi lập"):
            sign(session, school.id, opening.id, school.billing.approver, school.later)
        fresh = draw(school, session)
        assert fresh.id != opening.id
        assert newest_opening(session, school.id, NEW_YEAR) == fresh
        sign(session, school.id, fresh.id, school.billing.approver, school.later)
        school.pay(session, 10, 1)
        for again in (lambda: sign(session, school.id, fresh.id, school.billing.approver, school.later),
                      lambda: draw(school, session)):  # fmt: skip
            with pytest.raises(Conflict, match="đã ký"):
                again()
        assert digest_of_lines(as_lines(lines_of(session, fresh))) == fresh.digest
        assert opening_now(session, school.id, NEW_YEAR).digest != fresh.digest
    late = (
        "INSERT INTO year_opening_lines (school_id, opening_id, pupil_id, class_code, kind, number, period, amount)"
        " SELECT school_id, opening_id, pupil_id, '', 'credit', '', '', 5 FROM year_opening_lines"
        " WHERE opening_id IN (SELECT opening_id FROM year_opening_signatures) LIMIT 1"
    )
    for change in ("UPDATE year_openings SET due = 0", "DELETE FROM year_opening_lines", late):
        with pytest.raises(DatabaseError), school.database.transaction(EVERYTHING) as session:
            session.execute(text(change))


@given(
    deeds=st.lists(
        st.tuples(st.sampled_from(["pay", "over", "lower"]), st.integers(0, 2), st.sampled_from([10, 11]),
                  st.integers(1, 9)),
        max_size=6,
    )
)  # fmt: skip
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_dong_of_due_and_credit_is_carried_exactly_once(
    school: YearSchool, deeds: Sequence[tuple[str, int, int, int]]
) -> None:
    with school.database.transaction(EVERYTHING) as session:
        for what, child, month, much in deeds:
            bill = school.bill(session, month, child)
            if what == "lower" and much < 3:
                school.lower(session, month, "TIENAN", much * Money(1_000), child)
            elif what != "lower" and bill.rest:
                school.pay(session, month, child, over=much * 7_000 if what == "over" else 0)
        due, credit = sums(session, school)
        opening = draw(school, session)
        lines = lines_of(session, opening)
        assert (opening.due, opening.credit) == (due, credit)
        assert len({(line.pupil_id, line.bill_id, line.item_code) for line in lines}) == len(lines)
        rests = {each.bill_id: each.rest for each in bill_balances(session, col(Bill.school_id) == school.id)}
        listed = {line.bill_id: line.amount for line in lines if line.bill_id}
        assert listed == {bill: rest for bill, rest in rests.items() if rest}
        kept = {(line.pupil_id, line.item_code): line.amount for line in lines if not line.bill_id}
        assert kept == credit_of(session, school.id)
        roll_over(school, session)
        sign(session, school.id, draw(school, session).id, school.billing.approver, school.later)
        assert sums(session, school) == (due, credit)
        session.rollback()


def test_the_digest_does_not_hang_on_the_order_of_lines() -> None:
    lines = [OpeningLine(UUID(int=number), Money(number), item_code="A") for number in range(1, 5)]
    assert digest_of_lines(lines) == digest_of_lines(reversed(lines))
    assert digest_of_lines(lines) != digest_of_lines(lines[1:])
