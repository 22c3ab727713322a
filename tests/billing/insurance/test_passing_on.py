"""Money passed on to the insurer: two people, never more than is held, undone by a reversing entry, tied all along."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session

from billing.audit.recording import Actor
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.insurance.listing import send_list
from billing.insurance.passing_on import (
    NewPayout,
    approve_payout,
    enter_payout,
    payouts_of,
    reject_payout,
    undo_payout,
)
from billing.insurance.tables import InsuranceList, InsurancePayout
from billing.ledger.balances import debit_balance
from billing.money import ZERO, Money
from billing.payments.relieving import NoLonger, approve_relief, ask_write_off
from billing.plans.papers import read_paper
from billing.storage import new_id
from billing.vault import Vault
from service.database import Database
from tests.billing.insurance.insurance_world import FAMILY, NUMBER, Insuring, make_insuring
from tests.standing import standing

PAID_ON = date(2025, 10, 6)


@pytest.fixture
@standing
def told(database: Database, vault: Vault, now: datetime) -> tuple[Insuring, InsuranceList]:
    """Two of three paid and stand on the first list; the third is billed."""
    insuring = make_insuring(database, vault, now)
    with insuring.open() as session:
        for child in range(3):
            insuring.enter(session, insuring.buys(child, card_end=date(2025, 9, 30), number=NUMBER))
        insuring.bill_month(session, 10)
        insuring.school.pay(session, 10)
        insuring.school.pay(session, 10, 1)
    with insuring.open() as session:
        return insuring, insuring.send(session)


@pytest.fixture
def insuring(told: tuple[Insuring, InsuranceList]) -> Insuring:
    return told[0]


@pytest.fixture
def sent(told: tuple[Insuring, InsuranceList]) -> InsuranceList:
    return told[1]


def pay(
    insuring: Insuring, session: Session, sent: InsuranceList, amount: Money, reference: str = "FT25279001"
) -> UUID:
    school = insuring.school
    new = NewPayout(sent.id, amount, PAID_ON, reference)
    return enter_payout(session, school.billing.accountant, school.id, new, school.now).id


def approve(insuring: Insuring, session: Session, payout: UUID, who: Actor | None = None) -> None:
    school = insuring.school
    approve_payout(session, school.id, payout, who or school.billing.approver, school.now)


def test_what_is_passed_on_is_tied_to_list_bills_and_book(insuring: Insuring, sent: InsuranceList) -> None:
    school = insuring.school
    with insuring.open() as session:
        before = insuring.tie(session)
        assert (before.collected, before.unpaid, before.held, before.told) == (
            6 * FAMILY, 3 * FAMILY, 6 * FAMILY, 6 * FAMILY,
        )  # fmt: skip
        payout = pay(insuring, session, sent, 6 * FAMILY)
        assert insuring.tie(session) == before  # it counts once somebody else approves it
        with pytest.raises(SamePerson):
            approve(insuring, session, payout, school.billing.accountant)
        approve(insuring, session, payout)
        after = insuring.tie(session)
        assert (after.passed_on, after.held, after.to_pass_on) == (6 * FAMILY, ZERO, ZERO)
        # Until the bank's own transfer is read, the money waits among what went out unexplained.
        assert debit_balance(session, school.id, "1388") == -(6 * FAMILY)
        with pytest.raises(Conflict, match="đã được quyết định"):
            approve(insuring, session, payout)
        with pytest.raises(Refused, match="từ 1 đ đến 0 đ"):
            pay(insuring, session, sent, Money(1), "FT25279002")
    with insuring.open() as session:
        with pytest.raises(SamePerson):
            undo_payout(session, school.id, payout, school.billing.accountant, "Ngân hàng trả lại", school.now)
        undo_payout(session, school.id, payout, school.billing.approver, "Ngân hàng trả lại", school.now)
        assert insuring.tie(session) == before
        assert debit_balance(session, school.id, "1388") == ZERO
        [state] = payouts_of(session, school.id, 2025)
        assert (state.word, state.number) == ("undone", 1)
        with pytest.raises(Conflict, match="đã duyệt"):
            undo_payout(session, school.id, payout, school.billing.approver, "Lần nữa", school.now)


@pytest.mark.usefixtures("sent")
def test_late_ones_come_on_a_supplementary_list(insuring: Insuring) -> None:
    with insuring.open() as session:
        with pytest.raises(Refused, match="Chưa có thay đổi"):
            insuring.send(session)
        assert [each.pupil_id for each in insuring.draft(session).unpaid] == [insuring.school.pupil(2)]
        insuring.school.pay(session, 10, 2)
        found = insuring.tie(session)
        assert (found.unpaid, found.not_told) == (ZERO, 3 * FAMILY)
        late = insuring.send(session)
        assert (late.number, late.lines, late.family) == (2, 1, 3 * FAMILY)
        assert insuring.tie(session).to_pass_on == 9 * FAMILY


@pytest.mark.usefixtures("sent")
def test_who_was_written_off_has_not_paid_and_is_not_listed(insuring: Insuring) -> None:
    school = insuring.school
    with insuring.open() as session:
        paper = read_paper("quyet-dinh.pdf", b"%PDF-1.4 quyet dinh")
        wanted = NoLonger(school.bill(session, 10, 2).bill_id, "15/QD-TH", PAID_ON, "Không liên lạc được", paper)
        asked = ask_write_off(session, school.billing.accountant, school.id, wanted, school.now)
        approve_relief(session, school.billing.approver, school.id, asked.id, school.now)
        assert school.bill(session, 10, 2).rest == ZERO
        assert insuring.draft(session).lines == ()
        assert insuring.tie(session).unpaid == 3 * FAMILY


def test_a_rejected_payout_moves_nothing(insuring: Insuring, sent: InsuranceList) -> None:
    school = insuring.school
    with insuring.open() as session:
        payout = pay(insuring, session, sent, FAMILY)
        with pytest.raises(Refused, match="lý do"):
            reject_payout(session, school.id, payout, school.billing.approver, " ", school.now)
        reject_payout(session, school.id, payout, school.billing.accountant, "Ghi nhầm số", school.now)
        assert insuring.tie(session).passed_on == ZERO
        with pytest.raises(Conflict):
            approve(insuring, session, payout)


def test_one_transfer_of_the_bank_is_one_payout(insuring: Insuring, sent: InsuranceList) -> None:
    school, twice = insuring.school, r"FT25279001 đã ghi cho lần chuyển .* ngày 06/10/2025"
    with insuring.open() as session:
        first = pay(insuring, session, sent, FAMILY)
        with pytest.raises(Conflict, match=twice):  # it waits, and so it counts
            pay(insuring, session, sent, FAMILY, " ft25279001 ")
        approve(insuring, session, first)
        with pytest.raises(Conflict, match=twice):
            pay(insuring, session, sent, FAMILY)
    with insuring.open() as session:
        undo_payout(session, school.id, first, school.billing.approver, "Ghi nhầm số tiền", school.now)
        again = pay(insuring, session, sent, 2 * FAMILY)  # an undone one leaves its number free
        reject_payout(session, school.id, again, school.billing.approver, "Sai danh sách", school.now)
        right = pay(insuring, session, sent, 2 * FAMILY)
        approve(insuring, session, right)
        assert insuring.tie(session).passed_on == 2 * FAMILY


def test_a_payout_that_was_stored_twice_is_not_approved_twice(insuring: Insuring, sent: InsuranceList) -> None:
    with insuring.open() as session:
        first = pay(insuring, session, sent, FAMILY)
        stored = session.get_one(InsurancePayout, first)
        twin = InsurancePayout(**{**dict(stored), "id": new_id()})
        session.add(twin)
        session.flush()
        with pytest.raises(Conflict, match="từ chối hoặc hủy nó trước"):
            approve(insuring, session, twin.id)
        assert insuring.tie(session).passed_on == ZERO


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"paid_on": date(2025, 10, 8)}, "chưa đến"),
        ({"bank_reference": "  "}, "số tham chiếu"),
        ({"amount": ZERO}, "từ 1 đ đến"),
        ({"amount": 6 * FAMILY + Money(1)}, "từ 1 đ đến 315.900 đ"),
    ],
)
def test_what_cannot_have_been_paid_is_refused(
    insuring: Insuring, sent: InsuranceList, changes: dict[str, Any], sentence: str
) -> None:
    new = replace(NewPayout(sent.id, FAMILY, PAID_ON, "FT1"), **changes)
    school = insuring.school
    with insuring.open() as session:
        with pytest.raises(Refused, match=sentence):
            enter_payout(session, school.billing.accountant, school.id, new, school.now)
        with pytest.raises(NotFound):
            approve_payout(session, school.id, new_id(), school.billing.approver, school.now)


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE insurance_lists SET family = 0",
        "UPDATE insurance_list_lines SET months = 12",
        "DELETE FROM insurance_list_lines",
        """INSERT INTO insurance_list_lines (school_id, list_id, bill_line_id, pupil_id, position, full_name,
             birth_date, sex, class_code, first_month, months, gross, state, province, others, family)
           SELECT school_id, list_id, bill_line_id, pupil_id, 99, 'Ma', birth_date, sex, class_code, first_month, 1,
             0, 0, 0, 0, 0 FROM insurance_list_lines LIMIT 1""",
        """INSERT INTO insurance_lists (id, school_id, year, number, lines, family, digest, sent_by, sent_at)
           SELECT gen_random_uuid(), school_id, year, 5, 1, 0, digest, sent_by, sent_at FROM insurance_lists""",
    ],
)
def test_a_list_that_was_sent_never_changes(insuring: Insuring, change: str) -> None:
    wanted = r"permission denied|no further line|without a gap"
    with pytest.raises(Exception, match=wanted), insuring.school.open() as session:
        session.execute(text(change))


@pytest.mark.usefixtures("sent")
def test_a_list_is_sent_only_as_it_was_shown(insuring: Insuring) -> None:
    school = insuring.school
    with insuring.open() as session:
        insuring.school.pay(session, 10, 2)
        with pytest.raises(Conflict, match="đã đổi sau khi xem"):
            send_list(session, school.vault, school.billing.accountant, school.id, 2025, "0" * 64, school.now)


def test_the_database_itself_wants_two_people_for_a_payout(insuring: Insuring, sent: InsuranceList) -> None:
    school = insuring.school
    with insuring.open() as session:
        payout = pay(insuring, session, sent, FAMILY)
    maker = school.billing.accountant.user_id
    with pytest.raises(Exception, match="does not decide"), school.open() as session:
        session.execute(
            text(
                "INSERT INTO insurance_payout_steps (payout_id, kind, school_id, reason, entry_id, made_by, at)"
                " SELECT :payout, 'approved', :school, '', min(id), :maker, :now FROM journal_entries"
            ),
            {"payout": payout, "school": school.id, "maker": maker, "now": school.now + timedelta(minutes=1)},
        )
