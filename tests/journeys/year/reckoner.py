"""Keeps every family's book beside the product (pure): each event of the story is reckoned from the rules' words.

Each method says what the product is expected to do with an event: how much is paid, which bills fall, or that it is to
be refused. It never asks the product for an amount.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from tests.journeys.year import events as e
from tests.journeys.year.book import Bill, Book, Key, Request, lower_price, lower_units
from tests.journeys.year.charges import Absent, Facts, Line, Stay, charge
from tests.journeys.year.late import came_late, charge_late, open_prices
from tests.journeys.year.unused import Unused, units_used, unused_of

_CUTOFF = 8


@dataclass
class Round:
    """An issued round; a supplementary one names its ``base``."""

    code: str
    name: str
    first: date
    last: date
    meal_days: frozenset[date]
    due: date
    base: str | None = None

    @property
    def days(self) -> tuple[date, date]:
        """Its first and last day."""
        return self.first, self.last

    @property
    def months(self) -> list[date]:
        """The months it bills."""
        return list(e.months(self.first, self.last))

    @property
    def period(self) -> str:
        """The period as families read it."""
        one = len(self.months) == 1
        return f"tháng {self.first.month}/{self.first.year}" if one else self.name


@dataclass
class Order:
    """A payment to be made: on which account, how much, under which requests' codes."""

    account: str
    amount: int
    requests: list[Request]


@dataclass
class Reckoner:
    """One school: what is known of it, its book, its rounds. ``ranks``: the order of bills on accounts."""

    plan: e.SchoolPlan
    ranks: dict[str, int]
    facts: Facts = field(init=False)
    book: Book = field(init=False)
    rounds: dict[str, Round] = field(default_factory=dict)
    leaving: dict[str, list[Unused]] = field(default_factory=dict)
    pending: dict[str, list[dict[Key, int]]] = field(default_factory=dict)
    ended: dict[str, dict[str, int]] = field(default_factory=dict)
    chosen: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    lowered: dict[str, list[tuple[str, int, list[Bill]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.facts = Facts(self.plan, list(self.plan.prices))
        self.book = Book(self.plan)

    def arrive(self, event: e.Arrive) -> None:
        """Let a pupil begin."""
        self.facts.stays[event.pupil] = Stay(event.first, [(event.first, event.group)])

    def come_back(self, event: e.ComeBack) -> frozenset[str]:
        """Let a leaver begin again; return what it is registered for again."""
        facts, pupil = self.facts, event.pupil
        facts.earlier.setdefault(pupil, []).append(facts.stays[pupil])
        facts.stays[pupil] = Stay(event.first, [(event.first, event.group)])
        again = {item: quantity for item, quantity in self.ended[pupil].items() if item in event.items}
        for item, quantity in again.items():
            facts.register(pupil, item, event.first, quantity)
        return frozenset(again)

    def reduce(self, event: e.Reduce) -> None:
        """Give a reduction."""
        self.facts.reductions.setdefault(event.pupil, []).append(event.reduction)

    def end_reduction(self, event: e.EndReduction) -> None:
        """End a reduction after a day."""
        held = self.facts.reductions[event.pupil]
        ended = [each for each in held if each.key == event.key]
        kept = [each for each in held if each.key != event.key]
        self.facts.reductions[event.pupil] = kept + [_until(each, event.last) for each in ended]

    def tick(self, event: e.Tick) -> None:
        """Make these pupils of a class, and no others that a teacher told of, absent."""
        in_time = event.at < e.moment(event.day, _CUTOFF)
        for pupil, day in list(self.facts.absent):
            away = self.facts.absent[pupil, day]
            if day == event.day and away.group == event.group and pupil not in event.absent and not away.by_office:
                del self.facts.absent[pupil, day]
        for pupil in event.absent:
            if (pupil, event.day) not in self.facts.absent:
                self.facts.absent[pupil, event.day] = Absent(in_time, event.group, by_office=False)

    def office(self, event: e.OfficeAbsence) -> None:
        """Write what the office knows; a day that was told too late may become credited."""
        away = self.facts.absent.get((event.pupil, event.day))
        if away is None or (event.credited and not away.credited):
            group = self.facts.stays[event.pupil].group_on(event.day)
            self.facts.absent[event.pupil, event.day] = Absent(event.credited, group, by_office=True)

    def issue(self, event: e.Issue) -> bool:
        """Bill everybody who was there in the round's days."""
        made = Round(event.code, event.name, event.first, event.last, event.meal_days, event.due)
        return self._issue(made, self._there(made))

    def supplement(self, event: e.Supplement) -> bool:
        """Bill who has no live bill in a round or its supplements, who came back since, and what no live bill names."""
        base = self.rounds[event.base]
        name = f"Đợt thu bổ sung {event.code}"
        made = Round(event.code, name, base.first, base.last, base.meal_days, event.due, base=base.code)
        late = [pupil for pupil in self._late(base) if self._charged(made, pupil, again=False)]
        return self._issue(made, [*self._there(made), *self._further(made), *late])

    def choose_late(self, event: e.ChooseLate) -> dict[str, dict[str, tuple[str, int]]]:
        """Choose about every open item of who came when a round was over: by pupil and item, with what it would cost.

        About every fifth pupil nothing is chosen ("") this time.
        """
        base = self.rounds[event.base]
        found: dict[str, dict[str, tuple[str, int]]] = {}
        for turn, pupil in enumerate(self._late(base), event.turn):
            prices = self._open(base, pupil)
            lines = charge_late(self._priced(base.code), pupil, base.days, base.months, self._now(prices, base.code))
            due = {line.item: line.family for line in lines}
            kinds = {item: e.LATE_CHOICES[(turn + place) % 4] if turn % 5 else "" for place, item in enumerate(due)}
            if turn % 5:
                self.chosen[base.code, pupil] = self.chosen.get((base.code, pupil), {}) | kinds
            if due:
                found[pupil] = {item: (kind, due[item]) for item, kind in kinds.items()}
        return found

    def _late(self, base: Round) -> list[str]:
        """Return who came when a round was over, has no bill of it, and is not known to go."""
        facts = self.facts
        return sorted(pupil for pupil, stay in facts.stays.items() if came_late(facts, pupil, base.last)
                      and stay.last is None and not self.book.live(pupil, self._family(base.code)))  # fmt: skip

    def _open(self, billed: Round, pupil: str) -> list[e.Price]:
        family = self._family(billed.base or billed.code)
        return open_prices(self.facts, self.book, pupil, billed.days, family)

    def _family(self, base: str) -> set[str]:
        return {base, *(each.code for each in self.rounds.values() if each.base == base)}

    def _there(self, billed: Round) -> list[str]:
        return [pupil for pupil in self.facts.stays if self._turns(billed, pupil)[0]]

    def _further(self, billed: Round) -> list[str]:
        """Return who has a bill, was at the school once only, and has an item that no live bill names."""
        billable = (pupil for pupil in self.facts.stays if not self._turns(billed, pupil)[0])
        return [pupil for pupil in billable if self._to_bill(billed, pupil, again=False)
                and not came_late(self.facts, pupil, billed.last)]  # fmt: skip

    def _to_bill(self, billed: Round, pupil: str, *, again: bool, besides: Bill | None = None) -> list[Line]:
        """Return what a bill asks for: all of it, or what no other live bill of the stay names."""
        lines, stays = self._charged(billed, pupil, again=again), self.facts.all_stays(pupil)
        if not billed.base and besides is None:
            return lines
        last = max(self._turns(billed, pupil, again=again)[0], default=len(stays) - 1)
        live = self.book.live(pupil, self._family(billed.base or billed.code))
        named = {_item(line) for bill in live if bill is not besides and bill.stay == last for line in bill.lines}
        if not lines and not again and named and len(stays) == 1:
            void = {_item(line) for bill in self.book.bills for line in bill.lines
                    if bill.pupil == pupil and bill.void and bill.round in self._family(billed.base or "")}  # fmt: skip
            every = charge(self._priced(billed.base), pupil, billed.months, billed.meal_days, stays)
            lines = [line for line in every if self.plan.item(line.item).opt_in or _item(line) in void]
        return [line for line in lines if _item(line) not in named]

    def _priced(self, base: str | None) -> Facts:
        """Return the facts at the prices to which all bills of a round were lowered, as long as one such bill lives."""
        return replace(self.facts, prices=self._now(self.facts.prices, base))

    def _now(self, prices: Iterable[e.Price], base: str | None) -> list[e.Price]:
        held = [(item, amount) for item, amount, bills in self.lowered.get(base or "", [])
                if not all(bill.void for bill in bills)]  # fmt: skip
        least = {item: min(amount for other, amount in held if other == item) for item, _ in held}
        return [replace(price, amount=min(price.amount, least.get(price.item, price.amount))) for price in prices
                if least.get(price.item) != 0]  # fmt: skip

    def _turns(self, billed: Round, pupil: str, *, again: bool = False) -> tuple[dict[int, Stay], list[Stay]]:
        """Return the stays that a round charges, by number, and those before that its family has charged."""
        base = billed.base or billed.code
        family = self._family(base)
        own = {bill.stay for bill in self.book.live(pupil, [billed.code])}
        others = {bill.stay for bill in self.book.live(pupil, family - {billed.code})}
        stays = self.facts.all_stays(pupil)
        top = max(own) if again and own else len(stays) - 1
        until = max((each for each in (others if again else others | own) if each < (top if again else len(stays))),
                    default=-1)  # fmt: skip
        charged = {number: stay for number, stay in enumerate(stays) if until < number <= top}
        there = {number: stay for number, stay in charged.items()
                 if stay.first <= billed.last and (stay.last is None or stay.last >= billed.first)}  # fmt: skip
        return there, stays[: until + 1]

    def _issue(self, billed: Round, pupils: Iterable[str]) -> bool:
        new = [bill for pupil in pupils for bill in self._bills(billed, pupil, again=False)]
        if new:
            self.rounds[billed.code] = billed
            self.book.put_out(new)
        return bool(new)

    def _bills(self, billed: Round, pupil: str, *, again: bool, besides: Bill | None = None) -> list[Bill]:
        lines = self._to_bill(billed, pupil, again=again, besides=besides)
        last = max(self._turns(billed, pupil, again=again)[0], default=len(self.facts.all_stays(pupil)) - 1)
        accounts = {self.plan.item(line.item).account for line in lines}
        place = len(self.book.bills) * 10
        return [
            Bill(billed.code, billed.period, pupil, account, billed.due, place + self.ranks[account],
                 [line for line in lines if self.plan.item(line.item).account == account], last)
            for account in sorted(accounts, key=self.ranks.__getitem__)
        ]  # fmt: skip

    def settle_meals(self, code: str) -> bool:
        """Lower the meals of a round to those eaten; False when nothing falls."""
        billed = self.rounds[code]
        used = {}
        for pupil in sorted({bill.pupil for bill in self.book.bills if bill.round == code and not bill.void}):
            bills = self.book.live(pupil, [code])
            for line, units in units_used(bills, self._charged(billed, pupil)):
                used[id(line)] = units
        falls = False
        for bill in self.book.bills:
            if bill.round == code and not bill.void:
                meant = [line for line in bill.lines if id(line) in used]
                offs = [(line, *lower_units(line, used[id(line)])) for line in meant]
                falls |= any(family or state for _, family, state in offs)
                self.book.lower(bill, offs)
        return falls

    def lower_price(self, event: e.LowerPrice) -> bool:
        """Lower an item of all bills of a round to a price; False when nothing falls."""
        falls = False
        bills = [bill for bill in self.book.bills if bill.round == event.round and not bill.void]
        offs = {id(bill): [(line, *_would_cost(line, event.amount)) for line in bill.lines if line.item == event.item]
                for bill in bills}  # fmt: skip
        falls = any(family or state for each in offs.values() for _, family, state in each)
        if falls:
            fell = [bill for bill in bills if any(family or state for _, family, state in offs[id(bill)])]
            self.lowered.setdefault(event.round, []).append((event.item, event.amount, fell))
        for bill in bills if falls else []:
            meant = [(line, *lower_price(line, event.amount)) for line in bill.lines if line.item == event.item]
            self.book.lower(bill, meant)
        return falls

    def lower_line(self, event: e.LowerLine) -> tuple[Bill, int, int] | None:
        """Credit a share of what a line comes to; return bill, line and amount, or nothing when it comes to nothing."""
        for bill in self.book.live(event.pupil, [event.round]):
            for place, line in enumerate(bill.lines):
                amount = line.due * event.percent // 100
                if line.item == event.item and amount:
                    self.book.lower(bill, [(line, amount, 0)])
                    return bill, place, amount
        return None

    def take_back(self, bill: Bill, *, replace: bool) -> bool:
        """Take a bill back, and put a new one in its place; False where money is on it or nothing would be charged."""
        if bill.money or bill.to_credit:
            return False
        made = self._bills(self.rounds[bill.round], bill.pupil, again=True, besides=bill)
        instead = [new for new in made if new.account == bill.account]
        if replace and not instead:
            return False
        self.book.take_back(bill)
        if replace:
            self.book.put_out(instead)
        return True

    def leave(self, event: e.Leave) -> int:
        """End a pupil's time; return how many bills are to fall. Without any, what is kept is dealt with at once."""
        registered = sorted(self.facts.registered.items())
        self.ended[event.pupil] = {
            item: each.quantity
            for (owner, item), held in registered if owner == event.pupil
            for each in held if each.last is None or each.last > event.last
        }  # fmt: skip
        self.leaving[event.pupil] = [each for each in self._unused(event) if each.offs()]
        if not self.leaving[event.pupil]:
            self.settle(event.pupil)
        return len(self.leaving[event.pupil])

    def _unused(self, event: e.Leave) -> list[Unused]:
        pupil = event.pupil
        mine = {bill.round for bill in self.book.bills if bill.pupil == pupil and not bill.void}
        touched = [each for each in self.rounds.values() if each.last > event.last and each.code in mine]
        before = {each.code: self._charged(each, pupil) for each in touched}
        self.facts.end_stay(pupil, event.last)
        return [
            unused
            for each in touched
            for unused in unused_of(self.book.live(pupil, [each.code]), before[each.code], self._charged(each, pupil))
        ]

    def _charged(self, billed: Round, pupil: str, *, again: bool = True) -> list[Line]:
        if came_late(self.facts, pupil, billed.last):
            kinds = self.chosen.get((billed.base or billed.code, pupil), {})
            taken = [price for price in self._open(billed, pupil) if kinds.get(price.item, "leave") != "leave"]
            now = self._now(taken, billed.base)
            return charge_late(self._priced(billed.base), pupil, billed.days, billed.months, now)
        stays, paid = self._turns(billed, pupil, again=again)
        return charge(self._priced(billed.base), pupil, billed.months, billed.meal_days, list(stays.values()), paid)

    def approve_leaving(self, pupil: str) -> None:
        """Take off what a leaver did not use; of bills that were taken back meanwhile nothing is left to fall."""
        for unused in self.leaving.pop(pupil, []):
            offs = unused.offs()
            if not unused.bill.void:
                for place, units in unused.meals.items():
                    line = unused.bill.lines[place]
                    line.used = min(units, line.units if line.used is None else line.used)
                self.book.lower(unused.bill, offs)
            for place, (family, state) in unused.shares.items() if offs else ():
                line = unused.bill.lines[place]
                line.unused, line.unused_state = line.unused + family, line.unused_state + state

    def settle(self, pupil: str) -> bool:
        """Let what is kept pay what is open, and ask the rest back; False when nothing is kept."""
        if not self.book.free(pupil):
            return False
        self.book.use(pupil, lambda _: "offset_round", lambda _: True)
        wanted: dict[Key, int] = {(pupil, item): amount for item, amount in self.book.free(pupil).items()}
        if wanted:
            self.book.ask_back(wanted)
            self.pending.setdefault(pupil, []).append(wanted)
        return True

    def use_credit(self, event: e.UseCredit) -> bool:
        """Set a pupil's credit against what is open; False when none can be used."""
        rule = (lambda _: "offset_round") if event.freely else self.book.rule
        return bool(self.book.use(event.pupil, rule, lambda _: True))

    def orders(self, event: e.Pay) -> list[Order]:
        """Return what a family pays now: nothing without a code, or when nothing is asked for."""
        if event.way == "both":
            newest = [self._request(pupil, e.MAIN, older=False) for pupil in event.pupils]
            named = [request for request in newest if request is not None]
            amount = sum(request.rest for request in named) + event.extra
            return [Order(e.MAIN, amount, named)] if len(named) == len(newest) and amount else []
        found = []
        for account in self.ranks:
            request = self._request(event.pupils[0], account, older=event.older)
            if request is not None:
                amount = request.rest * event.percent // 100 + (event.extra if account == e.MAIN else 0)
                named = [] if event.way == "nocode" else [request]
                found += [Order(account, amount, named)] * event.times if amount else []
        return found

    def _request(self, pupil: str, account: str, *, older: bool) -> Request | None:
        mine = [each for each in self.book.requests if (each.pupil, each.account) == (pupil, account)]
        return mine[-2] if older and len(mine) > 1 else mine[-1] if mine else None

    def cash(self, event: e.Pay) -> tuple[int, list[Bill]]:
        """Return what is paid in cash, and over which bills."""
        bills = self.book.open_bills(event.pupils[0])
        amount = sum(bill.rest for bill in bills) * event.percent // 100 + event.extra
        if amount:
            self.book.cash += amount
            self.book.receive(event.pupils[0], amount, bills)
        return amount, bills


def _until(reduction: e.Reduction, last: date) -> e.Reduction:
    fields = {name: getattr(reduction, name) for name in e.Reduction.__dataclass_fields__}
    return e.Reduction(**{**fields, "last": min(last, reduction.last)})


def _would_cost(line: Line, price: int) -> tuple[int, int]:
    """Return what would come off at a lower price, and leave the line as it is."""
    was = line.lower_price
    off = lower_price(line, price)
    line.lower_price = was
    return off


def _item(line: Line) -> str:
    """Return the item that a line is of: health insurance is one, for however many months it is bought."""
    return "BHYT" if line.item.startswith("BHYT-") else line.item
