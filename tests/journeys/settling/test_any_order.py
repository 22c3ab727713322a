"""Whatever the order and grouping of bills, payments, undoing, refunds, credit and voids: the books tie out."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import make_collecting
from tests.journeys.settling.office import Office, make_office

PROOF = bool(os.environ.get("HOCPHI_PROOF"))
CHILDREN = 3
DUES = (100_000, 60_000, 40_000)

children = st.integers(0, CHILDREN - 1)
places = st.integers(0, 9)
sums = st.sampled_from([20_000, 40_000, 60_000, 100_000, 150_000])


class Settling(RuleBasedStateMachine):
    """One school, three children; each step is an act that may be refused, and then changes nothing."""

    database: Database
    addresses: Addresses
    vault: Vault
    acts: dict[str, int]

    @initialize()
    def open_the_school(self) -> None:
        self.office: Office = make_office(make_collecting(self.database, self.addresses, self.vault, dues=DUES))
        self.came_in = 0
        self.months = 0

    @rule(paid=st.lists(st.tuples(children, sums), min_size=1, max_size=4))
    def families_pay(self, paid: list[tuple[int, int]]) -> None:
        """Some transfers come in together, in part, in full or too much."""
        self.office.collecting.hear_of(*(self.office.transfer_for(child, dong) for child, dong in paid))
        self.came_in += sum(dong for _, dong in paid)
        self.count("paid", done=True)

    @rule(child=children, more=st.sampled_from([0, 0, 10_000]))
    def pays_what_is_open(self, child: int, more: int) -> None:
        """A family pays just what is open, or a little more."""
        if dong := self.office.rest(child) + more:
            self.families_pay([(child, dong)])

    @rule(dong=sums)
    def nobody_knows_whose(self, dong: int) -> None:
        """Money without a code waits."""
        self.office.collecting.hear_of(self.office.collecting.pays("chuyen tien", dong))
        self.came_in += dong

    @rule(child=children, dong=sums)
    def next_bill(self, child: int, dong: int) -> None:
        """The next month is billed."""
        self.months += 1
        period = f"{2025 + (9 + self.months) // 12}-{(9 + self.months) % 12 + 1:02d}"
        self.count("billed", done=self.office.bill(child, dong, period))

    @rule(child=children)
    def credit_is_used(self, child: int) -> None:
        """What was paid too much is set against what is open."""
        self.count("credit used", done=self.office.use_credit(child))

    @rule(child=children, part=st.integers(1, 3))
    def refund_is_asked(self, child: int, part: int) -> None:
        """Credit is asked back."""
        self.count("refund asked", done=self.office.ask_refund(child, part))

    @rule(approve=st.booleans())
    def refund_is_decided(self, approve: bool) -> None:  # noqa: FBT001  drawn
        """Somebody else decides."""
        self.count("refund decided", done=self.office.decide_refund(approve=approve))

    @rule(place=places, pay=st.booleans())
    def refund_ends(self, place: int, pay: bool) -> None:  # noqa: FBT001  drawn
        """It is paid out, or taken back."""
        self.count("refund ended", done=self.office.finish_refund(place, pay=pay))

    @rule(child=children, part=st.integers(1, 3), approve=st.sampled_from([True, True, False]), pay=st.booleans())
    def overpaid_and_given_back(self, child: int, part: int, approve: bool, pay: bool) -> None:  # noqa: FBT001  drawn
        """All of it in one go: chance alone seldom puts these in a row."""
        self.pays_what_is_open(child, 10_000)
        self.everything_ties_out()
        self.refund_is_asked(child, part)
        self.everything_ties_out()
        self.refund_is_decided(approve)
        self.everything_ties_out()
        self.refund_ends(-1, pay)

    @rule(child=children, dong=sums)
    def overpaid_and_used_next_month(self, child: int, dong: int) -> None:
        """Likewise: too much, the next bill, and the credit set against it."""
        self.pays_what_is_open(child, 10_000)
        self.next_bill(child, dong)
        self.everything_ties_out()
        self.credit_is_used(child)

    @rule(place=places)
    def match_is_undone(self, place: int) -> None:
        """A match is undone."""
        self.count("undone", done=self.office.undo(place))

    @rule(place=places)
    def bill_is_taken_back(self, place: int) -> None:
        """An unpaid bill is void from now on; its code goes on leading to the child."""
        self.count("voided", done=self.office.take_bill_back(place))

    @invariant()
    def everything_ties_out(self) -> None:
        """Nothing is lost, doubled or put on a bill twice; the bank is what came in."""
        if hasattr(self, "office"):
            assert self.office.broken() == []
            assert self.office.collecting.books().get("112", 0) == self.came_in

    def count(self, what: str, *, done: bool) -> None:
        """Count what was really done, over all runs."""
        self.acts[what] = self.acts.get(what, 0) + done


def _play(database: Database, addresses: Addresses, vault: Vault, examples: int, steps: int) -> dict[str, int]:
    acts: dict[str, int] = {}
    told = {"database": database, "addresses": addresses, "vault": vault, "acts": acts}
    machine = type("SettlingHere", (Settling,), told)
    few = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=not PROOF,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=few)
    return acts


def test_some_orders_of_everything_tie_out(database: Database, addresses: Addresses, vault: Vault) -> None:
    acts = _play(database, addresses, vault, examples=3, steps=12)

    assert acts["paid"] > 0


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_many_orders_of_everything_tie_out(database: Database, addresses: Addresses, vault: Vault) -> None:
    acts = _play(database, addresses, vault, examples=25, steps=30)

    # Not one of the acts was only ever refused.
    assert [what for what, count in acts.items() if count == 0] == []
    assert len(acts) == 8
