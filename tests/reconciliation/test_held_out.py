"""Money out that a bare key tells of: held above the limit, booked once a source confirms it, put aside by two."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from billing.audit.recording import Actor
from billing.audit.tables import AuditEntry
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.money import Money
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.daily_check import bank_net, book_net, check_day
from reconciliation.feeds.sepay import API_KEY
from reconciliation.matching import Direction
from reconciliation.outgoing.classifying import Purpose, classify, take_back
from reconciliation.releasing import approve_release, ask_distrust, ask_release
from reconciliation.reports.filling import report_record
from reconciliation.reports.records import checks
from reconciliation.tables import Feed, TransferStep
from service.database import EVERYTHING, Database
from service.invariants import check_all
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.reconciliation.statements.test_importing import NEXT_DAY, bring, written
from tests.reconciliation.statements.test_vouching import without
from tests.reconciliation.statements.workbooks import workbook
from tests.standing import standing

LATER = PAID_AT + timedelta(hours=1)
MAKER, CHECKER = Actor(new_id(), "accountant"), Actor(new_id(), "approver")
LARGE, SMALL = 90_000_000, 400_000
WHY = "Đã xem ở ngân hàng"
HEADINGS = ["Ngày giao dịch", "Số bút toán", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]


@pytest.fixture
@standing
def keyed(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    """A school whose feed has a mere key: above 20,000,000 đ money is held."""
    return make_collecting(database, addresses, vault, scheme=API_KEY)


def goes_out(keyed: Collecting, dong: int) -> UUID:
    known = {each.id for each in keyed.transfers()}
    keyed.hear_of(keyed.pays("rut tien", dong, direction=Direction.OUT))
    [fresh] = [each.id for each in keyed.transfers() if each.id not in known]
    return fresh


def doubted(keyed: Collecting, transfer: UUID, why: str = WHY) -> UUID:
    with keyed.database.transaction(keyed.scope) as session:
        return ask_distrust(session, MAKER, keyed.school.id, transfer, why, LATER).id


def agree(keyed: Collecting, release: UUID, actor: Actor = CHECKER) -> None:
    with keyed.database.transaction(keyed.scope) as session:
        approve_release(session, actor, keyed.school.id, release, LATER)


def steps(keyed: Collecting) -> list[tuple[str | None, str]]:
    with keyed.database.transaction(EVERYTHING) as session:
        rows = session.exec(select(TransferStep).order_by("id")).all()
    return [(row.from_state, row.to_state) for row in rows]


def sound(keyed: Collecting) -> None:
    """Demand the invariants of money, and a report whose sums of money agree; the factory's rounds have no deeds."""
    with keyed.database.transaction(EVERYTHING) as session:
        checked = check_all(session, keyed.wiring.vault, NEXT_DAY)
        report = report_record(session, keyed.school.id, PAID_AT.date(), PAID_AT.date(), NEXT_DAY)
        differing = [each.name for each in checks(report) if each.difference]
    assert [name for name in differing if not name.startswith("Chưa nộp")] == []
    problems = [
        problem for each in checked if each.id in {"I1", "I2", "I3", "I13", "I14", "I16"} for problem in each.problems
    ]
    assert [each for each in problems if not each.startswith("round ")] == []


def booked(keyed: Collecting) -> dict[str, int]:
    """Return what stands on the bank's account and on those where its money waits."""
    return {code: dong for code, dong in keyed.books().items() if code in {"112", "1388", "3388S"}}


def nets(keyed: Collecting) -> tuple[int, int]:
    with keyed.database.transaction(EVERYTHING) as session:
        account = session.merge(keyed.account)
        day = NEXT_DAY.date()
        return bank_net(session, account, day).dong, book_net(session, account, day).dong


def test_held_money_out_is_in_no_sum_until_a_statement_shows_it(keyed: Collecting) -> None:
    goes_out(keyed, LARGE)
    assert (keyed.states(), booked(keyed), nets(keyed)) == (["held"], {}, (0, 0))
    with keyed.database.transaction(keyed.scope) as session:
        [check] = check_day(session, keyed.school.id, PAID_AT.date(), LATER)
        assert (check.waiting_count, check.difference) == (0, Money(0))
    sound(keyed)
    brought = bring(keyed, written(keyed))

    assert (brought.new, brought.known) == (0, 1)
    assert steps(keyed) == [(None, "held"), ("held", "new"), ("new", "ignored_out")]
    assert (booked(keyed), nets(keyed)) == ({"112": -LARGE, "1388": LARGE}, (-LARGE, -LARGE))
    sound(keyed)


def test_two_people_let_it_go_or_put_it_aside(keyed: Collecting) -> None:
    real, forged = goes_out(keyed, LARGE), goes_out(keyed, LARGE + 1)
    with keyed.database.transaction(keyed.scope) as session:
        release = ask_release(session, MAKER, keyed.school.id, real, WHY, LATER).id
    agree(keyed, release)
    aside = doubted(keyed, forged)
    with pytest.raises(SamePerson):
        agree(keyed, aside, MAKER)
    with pytest.raises(Conflict, match="Đã có đề nghị"):
        doubted(keyed, forged)
    agree(keyed, aside)

    assert keyed.states() == ["ignored_out", "quarantined"]
    assert booked(keyed) == {"112": -LARGE, "1388": LARGE}
    with keyed.database.transaction(keyed.scope) as session:
        deeds = session.exec(select(AuditEntry.action).order_by("id")).all()
    assert list(deeds) == [f"transfer.{act}.{part}" for act in ("release", "distrust") for part in ("ask", "approve")]
    sound(keyed)


def test_two_people_put_aside_held_money_in_too(keyed: Collecting) -> None:
    keyed.hear_of(keyed.pays(keyed.requests[0].reference, LARGE))
    [held] = keyed.transfers()
    agree(keyed, doubted(keyed, held.id))

    assert (keyed.states(), booked(keyed)) == (["quarantined"], {})
    sound(keyed)


def test_money_out_that_a_statement_lacks_is_taken_out_of_the_book_by_two(keyed: Collecting) -> None:
    forged = goes_out(keyed, SMALL)
    assert booked(keyed) == {"112": -SMALL, "1388": SMALL}
    with pytest.raises(Conflict, match="Chưa có sao kê"):
        doubted(keyed, forged)
    keyed.pays("hoc phi", 50_000)
    shown = [one for one in keyed.bank.movements(keyed.account.number) if one.memo == "rut tien"]
    bring(keyed, without(keyed, *shown))
    keyed.reconcile()
    assert nets(keyed) == (50_000, 50_000 - SMALL), "the difference says so"
    with keyed.database.transaction(keyed.scope) as session:
        fee = Purpose("fee", Money(10_000))
        [purpose] = classify(session, MAKER, keyed.school.id, forged, [fee], LATER)
    with pytest.raises(Conflict, match="hủy phân loại"):
        doubted(keyed, forged)
    with keyed.database.transaction(keyed.scope) as session:
        take_back(session, MAKER, keyed.school.id, purpose.id, "ghi nhầm", LATER)
    with pytest.raises(Refused, match="lý do"):
        doubted(keyed, forged, " ")
    agree(keyed, doubted(keyed, forged))

    assert keyed.states() == ["quarantined", "waiting"]
    assert nets(keyed) == (50_000, 50_000)
    assert booked(keyed) == {"112": 50_000, "3388S": -50_000}
    sound(keyed)
    with pytest.raises(Conflict, match="Chỉ loại được"):
        doubted(keyed, forged)
    with pytest.raises(NotFound):
        doubted(keyed, new_id())


def test_what_a_statement_shows_stays(keyed: Collecting) -> None:
    real = goes_out(keyed, SMALL)
    bring(keyed, written(keyed))
    with pytest.raises(Conflict, match="sao kê có ghi"):
        doubted(keyed, real)


def test_a_statement_in_other_words_and_the_release_after_it_are_one_movement(keyed: Collecting) -> None:
    """The line names the same payee, without the bank's number: too little for held money, enough once believed."""
    keyed.hear_of(keyed.pays("CONG TY SACH XYZ mua sach", LARGE, direction=Direction.OUT))
    row = ["06/10/2025", "1", "CONG TY SACH XYZ-CT tu 222", "90.000.000", "", "10.000.000"]
    bring(keyed, workbook(["VPBank"], ["Số tài khoản", keyed.account.number], HEADINGS, row))
    held = next(each for each in keyed.transfers() if each.state == "held")
    assert keyed.states() == ["held", "ignored_out"]
    with keyed.database.transaction(keyed.scope) as session:
        release = ask_release(session, MAKER, keyed.school.id, held.id, WHY, LATER).id
    agree(keyed, release)

    assert keyed.states() == ["duplicate", "ignored_out"]
    assert booked(keyed) == {"112": -LARGE, "1388": LARGE}
    sound(keyed)


def test_held_money_in_is_not_there_twice_either(keyed: Collecting) -> None:
    keyed.hear_of(keyed.pays("CONG TY SACH XYZ ung ho", LARGE))
    row = ["06/10/2025", "1", "CONG TY SACH XYZ-CT tu 222", "", "90.000.000", "100.000.000"]
    bring(keyed, workbook(["VPBank"], ["Số tài khoản", keyed.account.number], HEADINGS, row))
    keyed.reconcile()
    held = next(each for each in keyed.transfers() if each.state == "held")
    with keyed.database.transaction(keyed.scope) as session:
        release = ask_release(session, MAKER, keyed.school.id, held.id, WHY, LATER).id
    agree(keyed, release)
    keyed.reconcile()

    assert keyed.states() == ["duplicate", "waiting"]
    assert booked(keyed) == {"112": LARGE, "3388S": -LARGE}
    sound(keyed)


def test_the_database_refuses_money_out_to_leave_by_one(keyed: Collecting) -> None:
    goes_out(keyed, SMALL)
    with pytest.raises(DBAPIError, match="by two people"), keyed.database.transaction(keyed.scope) as session:
        session.execute(text("UPDATE transfers SET state = 'quarantined'"))


def test_a_feed_that_proves_no_amount_cannot_be_without_a_limit(keyed: Collecting) -> None:
    with keyed.database.transaction(keyed.scope) as session:
        assert session.get_one(Feed, keyed.feed.id).hold_above == Money(20_000_000)
    with pytest.raises(DBAPIError, match="unproven_has_limit"), keyed.database.transaction(keyed.scope) as session:
        session.execute(text("UPDATE feeds SET hold_above = NULL"))
