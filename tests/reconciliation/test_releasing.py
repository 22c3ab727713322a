"""Two people let held money go: one asks and says why, another agrees; whoever asked may only take it back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from billing.audit.recording import SYSTEM, Actor
from billing.audit.tables import AuditEntry
from billing.errors import Conflict, HocphiError, NotAllowed, NotFound, OwnFamily, Refused, SamePerson
from billing.money import Money
from billing.people.declaring import Named, declare_child
from billing.people.tables import Pupil, PupilCode
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.feeds.sepay import API_KEY
from reconciliation.lists.tables import TransferReleaseDecision
from reconciliation.releasing import approve_release, ask_release, refuse_release
from reconciliation.tables import TransferStep
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.factories.schools import make_user

MAKER_ID = new_id()
MAKER, CHECKER = Actor(MAKER_ID, "accountant"), Actor(new_id(), "approver")
LATER = PAID_AT + timedelta(hours=1)
WHY = "Đã gọi ngân hàng, giao dịch có thật"


@pytest.fixture
def holding(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    made = make_collecting(database, addresses, vault, scheme=API_KEY, hold_above=Money(500_000))
    made.hear_of(made.pays(made.requests[0].reference))
    assert made.states() == ["held"]
    return made


def ask(holding: Collecting, actor: Actor = MAKER, why: str = WHY, transfer: UUID | None = None) -> UUID:
    with holding.database.transaction(holding.scope) as session:
        held = transfer or holding.transfers()[0].id
        return ask_release(session, actor, holding.school.id, held, why, LATER).id


def approve(holding: Collecting, release: UUID, actor: Actor = CHECKER) -> None:
    with holding.database.transaction(holding.scope) as session:
        approve_release(session, actor, holding.school.id, release, LATER)


def refuse(holding: Collecting, release: UUID, actor: Actor, why: str) -> None:
    with holding.database.transaction(holding.scope) as session:
        refuse_release(session, actor, holding.school.id, release, why, LATER)


def test_one_asks_another_agrees_and_the_money_is_settled(holding: Collecting) -> None:
    approve(holding, ask(holding))
    holding.reconcile()

    assert holding.states() == ["matched"]
    assert holding.receipts() == [(1, 650_000)]
    with holding.database.transaction(holding.scope) as session:
        step = session.exec(select(TransferStep).where(TransferStep.from_state == "held")).one()
        deeds = session.exec(select(AuditEntry.action, AuditEntry.actor_id, AuditEntry.reason).order_by("id")).all()
    assert (step.to_state, step.reason, step.made_by) == ("new", "released", CHECKER.user_id)
    assert list(deeds) == [
        ("transfer.release.ask", MAKER.user_id, WHY),
        ("transfer.release.approve", CHECKER.user_id, ""),
    ]


def test_whoever_asked_does_not_approve_also_not_by_sql(holding: Collecting) -> None:
    release = ask(holding)
    with pytest.raises(SamePerson):
        approve(holding, release, MAKER)
    with pytest.raises(DBAPIError, match="does not approve it"), holding.database.transaction(holding.scope) as session:
        session.add(
            TransferReleaseDecision(
                release_id=release, school_id=holding.school.id, approved=True, decided_by=MAKER_ID, at=LATER
            )
        )
    assert holding.states() == ["held"]


def test_a_refusal_leaves_it_held_and_it_may_be_asked_again(holding: Collecting) -> None:
    release = ask(holding)
    with pytest.raises(Conflict, match="Đã có đề nghị"):
        ask(holding)
    with pytest.raises(Refused):
        refuse(holding, release, CHECKER, " ")
    refuse(holding, release, CHECKER, "Chưa thấy trên sao kê")
    with pytest.raises(Conflict):
        approve(holding, release)
    again = ask(holding)
    refuse(holding, again, MAKER, "Ghi nhầm")
    approve(holding, ask(holding))
    assert holding.states() == ["new"]


def test_what_cannot_be_asked(holding: Collecting) -> None:
    with pytest.raises(Refused, match="lý do"):
        ask(holding, why=" ")
    with pytest.raises(NotFound):
        ask(holding, transfer=uuid4())
    with pytest.raises(NotFound):
        approve(holding, uuid4())
    with pytest.raises(NotAllowed):
        ask(holding, SYSTEM)
    release = ask(holding)
    approve(holding, release)
    with pytest.raises(Conflict, match="không còn bị giữ"):
        ask(holding)


def test_nobody_lets_money_of_the_own_child_go(holding: Collecting) -> None:
    child = holding.requests[0].pupil_id
    with holding.database.transaction(EVERYTHING) as session:
        kin = make_user(session, holding.school)
        assert kin.user_id
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == child)).one()
        named = Named(code, session.get_one(Pupil, child).full_name)
        declare_child(session, kin, holding.school.id, kin.user_id, named, LATER)
    with pytest.raises(OwnFamily):
        ask(holding, kin)
    release = ask(holding)
    with pytest.raises(OwnFamily):
        approve(holding, release, kin)
    assert holding.states() == ["held"]
    approve(holding, release)


def test_a_child_declared_after_asking_keeps_the_money_held(holding: Collecting) -> None:
    child = holding.requests[0].pupil_id
    with holding.database.transaction(EVERYTHING) as session:
        asker = make_user(session, holding.school)
    release = ask(holding, asker)
    with holding.database.transaction(EVERYTHING) as session:
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == child)).one()
        named = Named(code, session.get_one(Pupil, child).full_name)
        assert asker.user_id
        declare_child(session, asker, holding.school.id, asker.user_id, named, LATER)
    with pytest.raises(OwnFamily, match=f"người đề nghị .mã {code}"):
        approve(holding, release)
    assert holding.states() == ["held"]


def test_another_schools_money_is_not_found(holding: Collecting, addresses: Addresses, vault: Vault) -> None:
    other = make_collecting(holding.database, addresses, vault)
    with pytest.raises(NotFound), other.database.transaction(other.scope) as session:
        ask_release(session, MAKER, other.school.id, holding.transfers()[0].id, WHY, LATER)


def test_of_many_approvals_at_once_one_counts(holding: Collecting) -> None:
    release = ask(holding)

    def one(_: int) -> bool:
        try:
            approve(holding, release, Actor(new_id(), "approver"))
        except (HocphiError, DBAPIError):
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(one, range(10))) == 1
    with holding.database.transaction(holding.scope) as session:
        assert len(session.exec(select(TransferStep).where(TransferStep.from_state == "held")).all()) == 1
