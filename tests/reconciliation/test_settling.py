"""Tests of settling on the real database: each case that schools meet, to the đồng."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlmodel import select

from billing.errors import Conflict
from billing.events.tables import Event
from billing.money import ZERO, Money
from billing.payments import recording
from billing.payments.tables import PaymentRequest
from billing.vault import Vault
from reconciliation import settling
from reconciliation.deciding import decide
from reconciliation.matching import Direction, Outcome
from reconciliation.tables import Match, TransferStep
from service.database import EVERYTHING, Database, Scope
from service.jobs import reconciling
from service.preparing import Addresses
from tests.factories.collecting import Collecting, bill_and_ask, make_collecting, transfer_ids


def evidence(collecting: Collecting) -> list[dict[str, object]]:
    with collecting.database.transaction(collecting.scope) as session:
        return [match.evidence for match in session.exec(select(Match).order_by("id")).all()]


def test_a_transfer_with_the_reference_pays_the_bill(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays(collecting.requests[0].reference, route="from MoMo"))

    assert collecting.states() == ["matched"]
    assert collecting.rests() == [0, 300_000]
    assert collecting.receipts() == [(1, 650_000)]
    assert collecting.books() == {"112": 650_000, "131": 300_000, "531": -950_000}
    (kept,) = evidence(collecting)
    assert kept["rule"] == "exact_reference"
    assert kept["credit"] == 0
    with collecting.database.transaction(collecting.scope) as session:
        event = session.exec(select(Event).where(Event.kind == "payment_received")).one()
        steps = session.exec(select(TransferStep).order_by("id")).all()
    assert event.facts["amount"] == 650_000
    assert event.facts["paid_at"] == "2025-10-06T01:00:00+00:00"
    assert event.facts["request_ids"] == [str(collecting.requests[0].id)]
    assert [(step.from_state, step.to_state) for step in steps] == [(None, "new"), ("new", "matched")]
    assert {"reconciliation.settle", "notifications.plan", "ledger.seal"} <= set(collecting.rung)


def test_too_little_then_the_rest_makes_two_receipts(collecting: Collecting) -> None:
    reference = collecting.requests[0].reference
    collecting.hear_of(collecting.pays(reference, 400_000))
    assert collecting.rests() == [250_000, 300_000]
    collecting.hear_of(collecting.pays(reference, 250_000))

    assert collecting.rests() == [0, 300_000]
    assert collecting.receipts() == [(1, 400_000), (2, 250_000)]


def test_too_much_becomes_the_pupils_credit(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays(collecting.requests[0].reference, 700_000))

    assert collecting.rests() == [0, 300_000]
    assert collecting.receipts() == [(1, 700_000)]
    assert collecting.books()["3383"] == -50_000


def test_paying_twice_is_credit_the_second_time(collecting: Collecting) -> None:
    reference = collecting.requests[0].reference
    collecting.hear_of(collecting.pays(reference), collecting.pays(reference))

    assert collecting.states() == ["matched", "matched"]
    assert collecting.receipts() == [(1, 650_000), (2, 650_000)]
    assert collecting.books()["3383"] == -650_000


def test_last_months_qr_pays_the_open_bill_of_the_same_amount(collecting: Collecting) -> None:
    old = collecting.requests[0].reference
    collecting.hear_of(collecting.pays(old))
    with collecting.database.transaction(EVERYTHING) as session:
        bill_and_ask(session, collecting.children[0], collecting.account, 650_000, "2025-11")
    collecting.hear_of(collecting.pays(old))

    assert collecting.rests() == [0, 0, 300_000]
    assert evidence(collecting)[1]["rule"] == "closed_request_same_amount_open"


def test_a_new_request_holds_the_old_bill_too_and_pays_it_first(collecting: Collecting) -> None:
    with collecting.database.transaction(EVERYTHING) as session:
        both = bill_and_ask(session, collecting.children[0], collecting.account, 200_000, "2025-11")
    collecting.hear_of(collecting.pays(both.reference, 700_000))

    assert collecting.rests() == [0, 150_000, 300_000]


def test_one_transfer_for_two_siblings_makes_two_receipts(collecting: Collecting) -> None:
    memo = " ".join(request.reference for request in collecting.requests)
    collecting.hear_of(collecting.pays(memo, 950_000))

    assert collecting.rests() == [0, 0]
    assert sorted(amount for _, amount in collecting.receipts()) == [300_000, 650_000]
    assert [number for number, _ in collecting.receipts()] == [1, 2]
    assert collecting.books() == {"112": 950_000, "531": -950_000}


def test_two_siblings_with_another_sum_wait_for_a_person(collecting: Collecting) -> None:
    memo = " ".join(request.reference for request in collecting.requests)
    collecting.hear_of(collecting.pays(memo, 950_001))

    assert collecting.states() == ["waiting"]
    assert collecting.books()["3388S"] == -950_001
    assert collecting.receipts() == []


def test_without_a_code_it_waits_in_suspense(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays("NGUYEN VAN AN chuyen tien"))

    assert collecting.states() == ["waiting"]
    assert collecting.books() == {"112": 650_000, "131": 950_000, "3388S": -650_000, "531": -950_000}


def test_a_corrected_code_is_only_suggested(collecting: Collecting) -> None:
    code = collecting.requests[0].reference
    collecting.hear_of(collecting.pays(code[:6] + code[7:]))

    (kept,) = evidence(collecting)
    assert (collecting.states(), kept["rule"]) == (["waiting"], "corrected_reference")
    assert kept["bills"][0]["reference"] == code  # type: ignore[index]  # JSON


def test_money_out_is_booked_and_left_alone(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays("Phi dich vu", 11_000, direction=Direction.OUT))

    assert collecting.states() == ["ignored_out"]
    assert collecting.books() == {"112": -11_000, "1388": 11_000, "131": 950_000, "531": -950_000}


def test_a_reference_of_another_school_waits(
    collecting: Collecting, database: Database, addresses: Addresses, vault: Vault
) -> None:
    other = make_collecting(database, addresses, vault)
    collecting.hear_of(collecting.pays(other.requests[0].reference))

    assert (collecting.states(), other.transfers()) == (["waiting"], [])
    assert evidence(collecting)[0]["rule"] == "another_school"


def test_a_virtual_account_needs_no_memo(database: Database, addresses: Addresses, vault: Vault) -> None:
    collecting = make_collecting(database, addresses, vault, only_virtual=True)
    number = collecting.requests[1].virtual_account
    assert number
    collecting.hear_of(collecting.pays("chuyen tien", 300_000, virtual_account=number))

    assert collecting.rests() == [650_000, 0]
    assert evidence(collecting)[0]["rule"] == "virtual_account"


@pytest.mark.parametrize("every", [17, pytest.param(1, marks=pytest.mark.proof)])
def test_every_order_of_five_callbacks_gives_the_same_books(
    database: Database, addresses: Addresses, vault: Vault, every: int
) -> None:
    outcomes = set()
    for order in list(itertools.permutations(range(5)))[::every]:
        collecting = make_collecting(database, addresses, vault)
        first, second = (request.reference for request in collecting.requests)
        movements = [
            collecting.pays(first, 400_000),
            collecting.pays(first, 300_000),
            collecting.pays(second, 300_000),
            collecting.pays(second, 300_000),
            collecting.pays("khong ma", 5_000),
        ]
        for place in order:
            collecting.hear_of(movements[place])
        outcomes.add((tuple(sorted(collecting.books().items())), tuple(collecting.rests())))

    assert outcomes == {((("112", 1_305_000), ("3383", -350_000), ("3388S", -5_000), ("531", -950_000)), (0, 0))}


def test_nothing_is_left_of_a_settling_that_dies(
    collecting: Collecting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class KilledError(RuntimeError):
        pass

    def die(*_: object) -> None:
        raise KilledError

    collecting.receive(collecting.bank.callback(collecting.pays(collecting.requests[0].reference)))
    with monkeypatch.context() as patch:
        patch.setattr(recording, "issue_receipts", die)
        collecting.reconcile()
    assert "left for the next round" in caplog.text
    assert collecting.states() == ["new"]
    assert (collecting.receipts(), collecting.live_payments(), evidence(collecting)) == ([], 0, [])
    assert collecting.books()["3388S"] == -650_000

    collecting.reconcile()
    assert (collecting.states(), collecting.receipts()) == (["matched"], [(1, 650_000)])


def test_a_poison_transfer_stops_no_other(collecting: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    poison, good = (request.reference for request in collecting.requests)

    def decide_or_die(*arguments: object) -> object:
        if poison in arguments[0].memo:  # type: ignore[attr-defined]  # an incoming transfer
            raise ZeroDivisionError
        return decide(*arguments)  # type: ignore[arg-type]  # as called

    monkeypatch.setattr(settling, "decide", decide_or_die)
    collecting.hear_of(collecting.pays(poison), collecting.pays(good, 300_000))

    assert collecting.states() == ["matched", "new"]
    assert collecting.receipts() == [(1, 300_000)]


def test_what_the_database_refuses_again_and_again_waits_for_a_person(
    collecting: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice_on_one_bill(*arguments: object) -> object:
        decision = decide(*arguments)  # type: ignore[arg-type]  # as called
        return replace(decision, outcome=Outcome.SPLIT, bills=decision.bills * 2, credit=ZERO, credit_to=None)

    monkeypatch.setattr(settling, "decide", twice_on_one_bill)
    collecting.hear_of(collecting.pays(collecting.requests[0].reference, 1_300_000))

    assert collecting.states() == ["waiting"]
    assert (collecting.receipts(), collecting.rests()) == ([], [650_000, 300_000])
    assert collecting.books()["3388S"] == -1_300_000
    with collecting.database.transaction(collecting.scope) as session:
        steps = session.exec(select(TransferStep).order_by("id")).all()
    assert [step.reason for step in steps] == ["received", "settling_failed"]


def test_settling_twice_changes_nothing(collecting: Collecting, now: object) -> None:
    del now
    collecting.hear_of(collecting.pays(collecting.requests[0].reference))
    (transfer_id,) = transfer_ids(collecting)
    with collecting.database.transaction(collecting.scope) as session:
        assert settling.settle(session, transfer_id, collecting.wiring.clock()) is None

    assert collecting.receipts() == [(1, 650_000)]


def test_the_same_source_cannot_pay_a_pupil_twice(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays(collecting.requests[0].reference))
    (transfer,) = collecting.transfers()
    again = recording.Received(
        school_id=collecting.school.id,
        pupil_id=collecting.children[0].id,
        source_kind="transfer",
        source_id=transfer.id,
        amount=Money(650_000),
        value_date=transfer.value_date,
    )
    with pytest.raises(Conflict), collecting.database.transaction(collecting.scope) as session:
        recording.record_payment(session, again, [], collecting.wiring.clock())


def race(collecting: Collecting, settlers: int) -> None:
    """Settle everything with several settlers that start at one moment."""
    start = Barrier(settlers)

    def settle_all() -> None:
        start.wait()
        reconciling.settle(collecting.wiring)

    with ThreadPoolExecutor(settlers) as pool:
        for running in [pool.submit(settle_all) for _ in range(settlers)]:
            running.result()


@pytest.mark.parametrize("turn", [*range(5), *(pytest.param(turn, marks=pytest.mark.proof) for turn in range(5, 50))])
def test_two_settlers_at_once_never_put_too_much_on_a_bill(collecting: Collecting, turn: int) -> None:
    del turn
    reference = collecting.requests[0].reference
    collecting.receive(*(collecting.bank.callback(collecting.pays(reference, 300_000)) for _ in range(4)))
    reconciling.normalise(collecting.wiring)
    race(collecting, 2)

    assert collecting.states() == ["matched"] * 4
    assert collecting.rests() == [0, 300_000]
    assert [number for number, _ in collecting.receipts()] == [1, 2, 3, 4]
    assert collecting.books()["3383"] == -550_000


def settle_while_another_is_open(collecting: Collecting) -> list[str]:
    """Settle the two waiting transfers, the second while the first one's transaction is open; return the outcomes."""
    reconciling.normalise(collecting.wiring)
    first, second = transfer_ids(collecting)
    waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")

    def settle_second() -> None:
        with collecting.database.transaction(collecting.scope) as session:
            settling.settle(session, second, collecting.wiring.clock())

    with ThreadPoolExecutor(1) as pool:
        with collecting.database.transaction(collecting.scope) as session:
            settling.settle(session, first, collecting.wiring.clock())
            session.flush()
            running = pool.submit(settle_second)
            deadline = time.monotonic() + 20
            while not session.execute(waits).scalar_one() and not running.done() and time.monotonic() < deadline:
                time.sleep(0.02)
        running.result()
    with collecting.database.transaction(collecting.scope) as session:
        return [match.outcome for match in session.exec(select(Match).order_by("id")).all()]


def test_two_halves_at_once_are_a_part_and_the_rest(collecting: Collecting) -> None:
    """Money was right before, too; but both halves were called a part, and the family read so."""
    reference = collecting.requests[0].reference
    collecting.receive(*(collecting.bank.callback(collecting.pays(reference, 325_000)) for _ in range(2)))

    assert settle_while_another_is_open(collecting) == ["partial", "matched"]
    assert collecting.rests() == [0, 300_000]
    assert collecting.receipts() == [(1, 325_000), (2, 325_000)]


def test_two_months_of_one_pupil_are_settled_one_after_the_other(collecting: Collecting) -> None:
    """The second names another request of the same pupil, and its bill too."""
    with collecting.database.transaction(EVERYTHING) as session:
        november = bill_and_ask(session, collecting.children[0], collecting.account, 200_000, period="2025-11")
    for reference, dong in ((collecting.requests[0].reference, 650_000), (november.reference, 200_000)):
        collecting.receive(collecting.bank.callback(collecting.pays(reference, dong)))

    assert settle_while_another_is_open(collecting) == ["matched", "matched"]
    assert collecting.rests() == [0, 0, 300_000]


def test_siblings_in_two_orders_never_wait_in_a_circle(collecting: Collecting) -> None:
    one, other = (request.reference for request in collecting.requests)
    memos = [f"{one} {other}", f"{other} {one}"] * 4
    collecting.receive(*(collecting.bank.callback(collecting.pays(memo, 950_000)) for memo in memos))
    reconciling.normalise(collecting.wiring)
    race(collecting, 4)

    assert collecting.rests() == [0, 0]
    assert "new" not in collecting.states()


@pytest.mark.proof
def test_many_settlers_over_many_transfers(database: Database, addresses: Addresses, vault: Vault) -> None:
    collecting = make_collecting(database, addresses, vault, dues=(650_000,) * 20)
    movements = [
        collecting.pays(request.reference, 250_000 + 50_000 * turn)
        for turn in range(5)
        for request in collecting.requests
    ]
    collecting.receive(*map(collecting.bank.callback, movements))
    reconciling.normalise(collecting.wiring)
    race(collecting, 4)
    reconciling.settle(collecting.wiring)

    assert set(collecting.states()) == {"matched"}
    assert sum(collecting.rests()) == 0
    assert [number for number, _ in collecting.receipts()] == list(range(1, 101))
    assert collecting.books()["3383"] == 20 * 650_000 - sum(one.amount.dong for one in movements)


def test_settlers_see_only_their_school(collecting: Collecting, database: Database) -> None:
    collecting.hear_of(collecting.pays(collecting.requests[0].reference))
    with database.transaction(Scope()) as session:
        assert session.exec(select(PaymentRequest)).all() == []
        role = session.execute(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
        assert role.scalar_one() is False
