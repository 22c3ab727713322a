"""What the bank took back is undone by two; one person never turns that money into a paid bill again."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from billing.audit.recording import Actor
from billing.errors import Conflict, NotFound, OwnFamily, Refused, SamePerson
from reconciliation.matching import Outcome
from reconciliation.outgoing.classifying import take_back
from reconciliation.outgoing.reading import live
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.queue.retrying import retry
from reconciliation.queue.standing import seen_of, was_undone
from reconciliation.reversing.asking import ask_undoing, is_reversal
from service.database import EVERYTHING
from tests.factories.collecting import PAID_AT
from tests.journeys.settling.office import Office
from tests.reconciliation.reversing.test_asking import agree, ask, named, pair, refuse, run, sound

MISTAKE = "Chọn nhầm tiền vào"


def reversed_pair(office: Office) -> tuple[UUID, UUID, UUID]:
    """Let the bank take back what paid the first bill; return money out, money in, and the purpose that stands."""
    out, money = pair(office)
    agree(office, ask(office, out, money))
    with office.collecting.database.transaction(office.collecting.scope) as session:
        return out, money, session.exec(select(MoneyOut.id).where(live())).one()


def undo(office: Office, purpose: UUID, by: Actor | None = None, why: str = MISTAKE) -> UUID:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        assert is_reversal(session, office.school_id, purpose)
        return ask_undoing(session, by or office.accountant, office.school_id, purpose, why, PAID_AT).id


def again(office: Office, money: UUID, by: Actor) -> Outcome:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        seen, vault = seen_of(session, office.school_id, money), office.collecting.wiring.vault
        return retry(session, vault, by, office.school_id, money, seen, PAID_AT).outcome


def test_one_person_does_not_undo_what_two_decided(office: Office) -> None:
    _, _, purpose = reversed_pair(office)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        with pytest.raises(Refused, match="hai người"):
            take_back(session, office.accountant, office.school_id, purpose, MISTAKE, PAID_AT)
        with pytest.raises(Refused, match="lý do"):
            ask_undoing(session, office.accountant, office.school_id, purpose, " ", PAID_AT)
    asked = undo(office, purpose)
    assert office.collecting.states() == ["ignored_out", "reversed"], "nothing moved yet"
    with pytest.raises(Conflict, match="đang chờ"):
        undo(office, purpose)
    with pytest.raises(SamePerson):
        agree(office, asked, office.accountant)
    refuse(office, asked)
    assert office.collecting.states() == ["ignored_out", "reversed"]


def test_two_undo_it_and_from_then_on_two_decide_whom_it_pays_for(office: Office) -> None:
    out, money, purpose = reversed_pair(office)
    agree(office, undo(office, purpose))
    assert office.collecting.states() == ["ignored_out", "waiting"]
    sound(office)
    assert again(office, money, office.accountant) is Outcome.MATCHED
    assert (office.rest(0), office.collecting.receipts()) == (650_000, [(1, 650_000)]), "only suggested"
    with office.collecting.database.transaction(office.collecting.scope) as session:
        assert was_undone(session, office.school_id, money)
        with pytest.raises(NotFound, match="đã được hủy"):
            ask_undoing(session, office.accountant, office.school_id, purpose, MISTAKE, PAID_AT)
    agree(office, ask(office, out, money))
    assert office.collecting.states() == ["ignored_out", "reversed"], "and it may be said anew"
    sound(office)


def test_never_of_the_own_child(office: Office) -> None:
    """The memo need not name the child: whoever it ever paid for is concerned."""
    _, _, purpose = reversed_pair(office)
    asked = undo(office, purpose)
    with office.collecting.database.transaction(EVERYTHING) as session:
        named(session, office.accountant, office)
        named(session, office.approver, office)
    with pytest.raises(OwnFamily):
        agree(office, asked)
    refuse(office, asked)
    with pytest.raises(OwnFamily):
        undo(office, purpose)
    assert office.collecting.states() == ["ignored_out", "reversed"]
    assert office.rest(0) == 650_000


def test_the_database_wants_two_for_it(office: Office) -> None:
    out, money, purpose = reversed_pair(office)
    values = {"school": office.school_id, "out": out, "came": money, "by": office.accountant.user_id, "at": PAID_AT}
    end = text(
        "INSERT INTO money_out_ends (purpose_id, school_id, reason, made_by, at)"
        " VALUES (:purpose, :school, 'x', :by, :at)"
    )
    with pytest.raises(IntegrityError, match="two people undo"):
        run(office, end, {**values, "purpose": purpose})
    with pytest.raises(IntegrityError, match="two people undo"):
        run(office, text("UPDATE transfers SET state = 'waiting' WHERE id = :came"), values)
    insert = text(
        "INSERT INTO bank_reversals (id, school_id, out_id, came_id, named, undoes, reason, made_by, made_at)"
        " VALUES (gen_random_uuid(), :school, :out, :came, :named, :purpose, 'x', :by, :at)"
    )
    with pytest.raises(IntegrityError, match="standing reversal is undone"):
        run(office, insert, {**values, "purpose": purpose, "named": True})
    agree(office, undo(office, purpose))
    with pytest.raises(IntegrityError, match="standing reversal is undone"):
        run(office, insert, {**values, "purpose": purpose, "named": False})
    with pytest.raises(IntegrityError, match="reversed by a decision"):
        run(office, text("UPDATE transfers SET state = 'reversed' WHERE id = :came"), values)
