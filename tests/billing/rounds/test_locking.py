"""An issued round is locked by a person and opened by another, with a reason; the database holds to it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from billing.audit.recording import SYSTEM
from billing.audit.tables import AuditEntry
from billing.errors import Conflict, NotAllowed, Refused, SamePerson
from billing.rounds.approving import withdraw_round
from billing.rounds.drafting import find_round
from billing.rounds.issuing import issue_round
from billing.rounds.locking import lock_round, unlock_round
from billing.rounds.previewing import preview_round
from service.database import Database
from tests.billing.rounds.correction_world import Issued, issue
from tests.factories.rounds import REFERENCE_KEY, SEPTEMBER, BillingSchool, approved_round


@pytest.fixture
def issued(database: Database, billing: BillingSchool, now: datetime) -> Issued:
    return issue(database, billing, now)


def test_locked_by_one_and_opened_by_another_with_a_reason(issued: Issued) -> None:
    accountant, approver = issued.billing.accountant, issued.billing.approver
    with issued.open() as session:
        locked = lock_round(session, issued.round_id, approver, issued.now)
        assert (locked.state, locked.locked_by, locked.locked_at) == ("locked", approver.user_id, issued.now)
        with pytest.raises(Conflict, match="chưa khóa"):
            lock_round(session, issued.round_id, approver, issued.now)
        with pytest.raises(SamePerson, match="không được tự mở khóa"):
            unlock_round(session, issued.round_id, approver, issued.now, "Sai sót")
        with pytest.raises(Refused, match="lý do"):
            unlock_round(session, issued.round_id, accountant, issued.now, " ")
        with pytest.raises(NotAllowed, match="người có tên"):
            unlock_round(session, issued.round_id, SYSTEM, issued.now, "Sai sót")
        later = issued.now + timedelta(days=1)
        opened = unlock_round(session, issued.round_id, accountant, later, "Sai sót")
        assert (opened.state, opened.unlocked_by, opened.unlock_reason) == ("issued", accountant.user_id, "Sai sót")
        with pytest.raises(Conflict, match="không bị khóa"):
            unlock_round(session, issued.round_id, accountant, later, "Sai sót")
        again = lock_round(session, issued.round_id, accountant, later)
        assert (again.locked_by, again.unlocked_by, again.unlock_reason) == (accountant.user_id, None, "")
        deeds = session.exec(select(AuditEntry.action, AuditEntry.reason).order_by("id")).all()
    assert [deed for deed in deeds if "lock" in deed[0]] == [
        ("round.lock", ""),
        ("round.unlock", "Sai sót"),
        ("round.lock", ""),
    ]


def test_only_an_issued_round_is_locked_and_a_locked_one_stays_as_it_is(issued: Issued) -> None:
    accountant = issued.billing.accountant
    with issued.open() as session:
        waiting = approved_round(session, issued.billing, issued.now, SEPTEMBER, "2025-09")
        with pytest.raises(Conflict, match="đã phát hành"):
            lock_round(session, waiting, accountant, issued.now)
        before = issue_round(session, issued.round_id, issued.now, REFERENCE_KEY)
        lock_round(session, issued.round_id, accountant, issued.now)
        assert issue_round(session, issued.round_id, issued.now, REFERENCE_KEY) == before
        with pytest.raises(Conflict, match="đã khóa"):
            preview_round(session, issued.round_id, accountant, issued.now)
        with pytest.raises(Conflict, match="đã khóa"):
            withdraw_round(session, issued.round_id, accountant, issued.now, "Thôi")
        assert find_round(session, issued.round_id).state == "locked"


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE billing_rounds SET name = 'x'", "does not change"),
        ("UPDATE billing_rounds SET state = 'draft'", "cannot go from locked to draft"),
        ("UPDATE billing_rounds SET locked_by = gen_random_uuid()", "does not change|who locked"),
        (
            "UPDATE billing_rounds SET state = 'issued', unlocked_by = locked_by, unlock_reason = 'x'",
            "unlocked_by_another",
        ),
        ("UPDATE billing_rounds SET state = 'issued', unlocked_by = gen_random_uuid()", "unlocked_by_another"),
        ("UPDATE billing_rounds SET state = 'issued'", "locked_by_a_person"),
    ],
)
def test_the_database_holds_to_the_lock(issued: Issued, statement: str, refusal: str) -> None:
    with issued.open() as session:
        lock_round(session, issued.round_id, issued.billing.approver, issued.now)
    with pytest.raises(DBAPIError, match=refusal), issued.open() as session:
        session.execute(text(statement))
