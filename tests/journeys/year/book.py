"""A school's bills, money and credit, reckoned apart from the product (pure): in whole đồng, from the rules' words.

What a correction takes off a bill lowers what is open on it as far as that goes; the rest was paid and is the pupil's
credit under its item. Credit pays by the rule of its item; money that was paid too much has no item and pays anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from tests.journeys.year.charges import Line, Taken, share_of
from tests.journeys.year.events import SchoolPlan

Key = tuple[str, str | None]
"""A pupil, and the item of its credit; None: money without an item."""


@dataclass(eq=False)
class Bill:
    """A bill of one pupil, round and account. ``place`` orders bills that are due on the same day.

    ``stay``: the number of the last time at the school that it charges.
    """

    round: str
    period: str
    pupil: str
    account: str
    due_on: date
    place: int
    lines: list[Line]
    stay: int = 0
    money: int = 0
    credit: dict[str | None, int] = field(default_factory=dict)
    off_rest: int = 0
    to_credit: int = 0
    written_off: int = 0
    void: bool = False

    @property
    def family(self) -> int:
        """What was billed to the family."""
        return sum(line.family for line in self.lines)

    @property
    def by_credit(self) -> int:
        """What credit pays of it."""
        return sum(self.credit.values())

    @property
    def due(self) -> int:
        """What it comes to after corrections, and after what is no longer asked for."""
        return self.family - self.off_rest - self.to_credit - self.written_off

    @property
    def rest(self) -> int:
        """What is still open."""
        return 0 if self.void else self.family - self.off_rest - self.money - self.by_credit - self.written_off

    @property
    def leftover(self) -> int:
        """What of its payment is the pupil's own credit."""
        return min(self.by_credit, self.due - self.rest)

    @property
    def received(self) -> int:
        """What of its payment is money that came in."""
        return self.due - self.rest - self.leftover

    @property
    def shown(self) -> list[tuple[str, int]]:
        """Items and sums as a family reads them; what is no longer asked for comes off the last lines first."""
        found, gone = [], self.written_off
        for line in reversed(self.lines):
            off = min(gone, line.due)
            gone -= off
            found.append((line.item, line.due - off))
        return [each for each in reversed(found) if each[1]]

    @property
    def order(self) -> tuple[date, str, int]:
        """Oldest due first; of those due on one day the earlier month first, as their numbers say."""
        return self.due_on, self.round[:7], self.place


@dataclass(eq=False)
class Paid:
    """Money that came for a pupil: how much of it belongs to no bill, which bills it pays, in which receipt book."""

    pupil: str
    amount: int
    left: int
    bills: list[Bill]
    book: str


@dataclass(eq=False)
class Request:
    """What a family is asked with one code: bills of one account, and the payments that named it."""

    pupil: str
    account: str
    bills: list[Bill]
    named_by: list[Paid] = field(default_factory=list)
    waiting: int = 0

    @property
    def rest(self) -> int:
        """What is open on it."""
        return sum(bill.rest for bill in self.bills)


@dataclass
class Book:
    """All money of a school."""

    plan: SchoolPlan
    bills: list[Bill] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)
    credit: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    asked: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    payable: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    state: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    income: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bank: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    cash: int = 0
    fetched: int = 0
    suspense: int = 0
    fees: int = 0
    receipt_book: str = ""
    refunded: dict[Key, int] = field(default_factory=lambda: defaultdict(int))

    def free(self, pupil: str) -> dict[str | None, int]:
        """Return the credit of a pupil that is not asked back, by item, money without one first."""
        kept = {item: amount - self.asked[whose, item] for (whose, item), amount in list(self.credit.items())
                if whose == pupil}  # fmt: skip
        return {item: kept[item] for item in sorted(kept, key=lambda item: item or "") if kept[item] > 0}

    def open_bills(self, pupil: str) -> list[Bill]:
        """Return what is open of a pupil, oldest due first."""
        return sorted((bill for bill in self.bills if bill.pupil == pupil and bill.rest), key=lambda bill: bill.order)

    def live(self, pupil: str, rounds: Iterable[str]) -> list[Bill]:
        """Return a pupil's bills of some rounds that were not taken back."""
        return [bill for bill in self.bills if bill.pupil == pupil and bill.round in set(rounds) and not bill.void]

    def put_out(self, new: Sequence[Bill]) -> None:
        """Write bills, let credit pay what it may, and ask for the rest."""
        for bill in new:
            self.bills.append(bill)
            self._earn(bill, 1)
        rounds = {bill.round for bill in new}
        settled: set[int] = set()
        for pupil in sorted({bill.pupil for bill in new}):
            used = self.use(pupil, self.rule, lambda bill: bill.round in rounds)
            settled |= {id(bill) for bill in used if bill in new}
        payees = sorted({(bill.pupil, bill.account) for bill in new if bill.family})
        for pupil, account in payees:
            held = [bill for bill in self.bills if (bill.pupil, bill.account) == (pupil, account)]
            wanted = sorted((bill for bill in held if bill.rest or id(bill) in settled), key=lambda bill: bill.order)
            if wanted:
                self.requests.append(Request(pupil, account, wanted))

    def _earn(self, bill: Bill, sign: int) -> None:
        for line in bill.lines:
            self._earn_line(bill, line, sign * (line.family - line.family_off), sign * (line.state - line.state_off))

    def _earn_line(self, bill: Bill, line: Line, family: int, state: int) -> None:
        item = self.plan.item(line.item)
        state = 0 if item.group == "pass_through" else state
        self.income[item.revenue] += family + state
        self.state[bill.pupil] += state

    def rule(self, item: str) -> str:
        """Return what the leftovers of an item may pay by themselves."""
        return self.plan.item(item).carry

    def use(self, pupil: str, rule: Callable[[str], str], offset: Callable[[Bill], bool]) -> list[Bill]:
        """Let a pupil's credit pay what is open, and return the bills it paid.

        First each item its own lines, then what may offset the bills that ``offset`` names, then money without item.
        """
        left, bills = self.free(pupil), self.open_bills(pupil)
        room = {id(bill): _room(bill) for bill in bills}
        tries = [
            *((item, bill, room[id(bill)].get(item, 0)) for item in left if item and rule(item) != "none"
              for bill in bills),
            *((item, bill, bill.rest) for item in left if item and rule(item) == "offset_round"
              for bill in bills if offset(bill)),
            *((item, bill, bill.rest) for item in left if item is None for bill in bills),
        ]  # fmt: skip
        used = []
        for item, bill, most in tries:
            amount = min(left[item], bill.rest, most)
            if amount > 0:
                left[item] -= amount
                self.credit[pupil, item] -= amount
                bill.credit[item] = bill.credit.get(item, 0) + amount
                used.append(bill)
        return used

    def lower(self, bill: Bill, offs: Sequence[tuple[Line, int, int]]) -> None:
        """Take the family's and the State's share of lines off a bill: first off what was written off of it."""
        left = bill.rest + bill.written_off
        bill.written_off -= min(bill.written_off, sum(family for _, family, _ in offs))
        for line, family, state in offs:
            off_rest = min(left, family)
            left -= off_rest
            bill.off_rest += off_rest
            bill.to_credit += family - off_rest
            self.credit[bill.pupil, line.item] += family - off_rest
            line.family_off += family
            line.state_off += state
            self._earn_line(bill, line, -family, -state)

    def take_back(self, bill: Bill) -> None:
        """Take a bill back on which no money came in; its credit is the pupil's again."""
        for item, amount in bill.credit.items():
            self.credit[bill.pupil, item] += amount
        bill.credit = {}
        self._earn(bill, -1)
        bill.void = True

    def receive(self, pupil: str, amount: int, bills: Sequence[Bill]) -> Paid:
        """Put a pupil's money on bills in their order; what is left over has no item."""
        left, filled = amount, []
        for bill in bills:
            part = min(left, bill.rest)
            if part:
                bill.money += part
                left -= part
                filled.append(bill)
        self.credit[pupil, None] += left
        paid = Paid(pupil, amount, left, filled, self.receipt_book)
        self.paid.append(paid)
        return paid

    def transfer(self, account: str, amount: int, named: Sequence[Request]) -> None:
        """Take a transfer in on an account: what its codes name exactly is paid, anything else waits."""
        self.bank[account] += amount
        if len(named) == 1:
            named[0].named_by.append(self.receive(named[0].pupil, amount, self._bills_for(named[0], amount)))
            return
        open_ = [[bill for bill in request.bills if bill.rest] for request in named]
        if named and all(open_) and sum(bill.rest for bills in open_ for bill in bills) == amount:
            for request, bills in zip(named, open_, strict=True):
                request.named_by.append(self.receive(request.pupil, sum(bill.rest for bill in bills), bills))
            return
        self.suspense += amount
        for request in named:
            request.waiting += amount

    def _bills_for(self, request: Request, amount: int) -> list[Bill]:
        """Return the open bills of a request; if none is, the pupil's one open bill of just this amount."""
        open_ = [bill for bill in request.bills if bill.rest]
        if open_:
            return open_
        others = [bill for bill in self.open_bills(request.pupil) if bill.account == request.account]
        fitting = [bill for bill in others if bill.rest == amount]
        return fitting if len(fitting) == 1 else []

    def ask_back(self, wanted: dict[Key, int]) -> None:
        """Ask credit back; it is free no more."""
        for key, amount in wanted.items():
            self.asked[key] += amount

    def decide(self, wanted: dict[Key, int], *, approved: bool) -> None:
        """Approve what was asked back (it is owed to the family now) or not."""
        for key, amount in wanted.items():
            self.asked[key] -= amount
            if approved:
                self.credit[key] -= amount
                self.payable[key] += amount

    def pay_out(self, wanted: dict[Key, int]) -> None:
        """Hand approved money over in cash."""
        for key, amount in wanted.items():
            self.payable[key] -= amount
            self.refunded[key] += amount
            self.cash -= amount

    def fetch(self, wanted: dict[Key, int]) -> int:
        """Fetch from the Treasury what the till lacks of what is to be handed over; return how much."""
        missing = max(sum(wanted.values()) - self.cash, 0)
        self.cash += missing
        self.fetched += missing
        return missing

    def keep_again(self, wanted: dict[Key, int]) -> None:
        """Give an approved refund up: its money is the pupil's credit again."""
        for key, amount in wanted.items():
            self.payable[key] -= amount
            self.credit[key] += amount


def _room(bill: Bill) -> dict[str, int]:
    """Return what each item on a bill can still take from its own credit."""
    found: dict[str, int] = defaultdict(int)
    for line in bill.lines:
        found[line.item] += line.due
    return {item: max(due - bill.credit.get(item, 0), 0) for item, due in found.items()}


def to_stay(line: Line, price: int, units: int) -> tuple[int, int]:
    """Return what is still to come off a line for family and State, so that so many units at a price stay."""
    family, state = _come_to(line, price * units, line.unused, line.unused_state)
    return max(line.due - family, 0), max(line.state - line.state_off - state, 0)


def not_used(line: Line, family: int, state: int) -> tuple[int, int]:
    """Return what comes off a line of whose shares as charged so much more was not used: its part at today's price."""
    gross = price_now(line) * (line.units if line.used is None else line.used)
    was = _come_to(line, gross, line.unused, line.unused_state)
    now = _come_to(line, gross, line.unused + family, line.unused_state + state)
    return min(was[0] - now[0], line.due), min(was[1] - now[1], line.state - line.state_off)


def _come_to(line: Line, gross: int, unused: int, unused_state: int) -> tuple[int, int]:
    """Return what family and State carry at a gross, of which the part that was used stays."""
    before = line.gross
    left, rest, state = gross, before, 0
    for each in line.taken:
        amount = min(left, _at(each, gross, before, rest))
        left, rest = left - amount, rest - each.amount
        state += amount if each.payer == "state" else 0
    return _part(left, line.family - unused, line.family), _part(state, line.state - unused_state, line.state)


def _part(amount: int, kept: int, whole: int) -> int:
    return (2 * amount * kept + whole) // (2 * whole) if whole else amount


def _at(taken: Taken, gross: int, before: int, rest: int) -> int:
    """Return what a reduction takes of a lower gross: a sum as it was, a share as a share.

    A share that held for some of the months only took less than that, and shrinks as the gross does.
    """
    if taken.percent is None:
        return taken.amount
    if taken.amount == min(rest, share_of(before, taken.percent)):
        return share_of(gross, taken.percent)
    return taken.amount * gross // before


def lower_units(line: Line, used: int) -> tuple[int, int]:
    """Let only some units of a line count from now on, at the price in force."""
    line.used = min(used, line.units if line.used is None else line.used)
    return to_stay(line, price_now(line), line.used)


def lower_price(line: Line, price: int) -> tuple[int, int]:
    """Let a line cost less from now on, for the units that count."""
    line.lower_price = min(share_of(price, 50) if line.half else price, price_now(line))
    return to_stay(line, line.lower_price, line.units if line.used is None else line.used)


def price_now(line: Line) -> int:
    """Return the price in force."""
    return line.price if line.lower_price is None else line.lower_price
