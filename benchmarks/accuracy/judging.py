"""Scoring three ways of matching on the same labelled transfers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.accuracy.labelled import MIX, Kind, Labelled, is_of_its_kind
from benchmarks.accuracy.pretix import Importer, Order
from benchmarks.accuracy.same_amount import SameAmount
from benchmarks.accuracy.world import World
from billing.money import ZERO, Money
from billing.payments.reference import BODY_LENGTH, LENGTH, PREFIX
from reconciliation.deciding import decide
from reconciliation.matching import RequestBook, RequestStatus
from reconciliation.memory_book import MemoryBook

TOP = 3
WHOLE_ALONE_AT_LEAST = 0.99
FIRST_SUGGESTION_AT_LEAST = 0.95
_STATUS = {RequestStatus.OPEN: "pending", RequestStatus.PAID: "paid", RequestStatus.VOID: "cancelled"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a way of matching says: money by pupil, and pupils it would show to a person, best first."""

    booked: Mapping[str, Money]
    suggested: Sequence[str] = ()


Way = Callable[[Labelled], Verdict]


@dataclass
class Tally:
    """Counts of one kind of transfer under one way of matching; ``first`` is part of ``within``."""

    transfers: int = 0
    alone: int = 0
    first: int = 0
    within: int = 0
    otherwise: int = 0
    unmatched: int = 0
    wrong: int = 0

    def add(self, labelled: Labelled, verdict: Verdict) -> None:
        """Count one transfer. Wrong: any money that is not its owner's."""
        self.transfers += 1
        if verdict.booked:
            right = all(amount <= labelled.owners.get(pupil, ZERO) for pupil, amount in verdict.booked.items())
            self.alone += right
            self.wrong += not right
        elif not verdict.suggested:
            self.unmatched += 1
        else:
            self.first += verdict.suggested[0] in labelled.right
            near = not labelled.right.isdisjoint(verdict.suggested[:TOP])
            self.within += near
            self.otherwise += not near


Tallies = Mapping[Kind, Tally]


def ours(book: RequestBook) -> Way:
    """Return the matcher that the command and the workers call."""

    def judge(labelled: Labelled) -> Verdict:
        made = decide(labelled.transfer, book)
        booked: dict[str, Money] = defaultdict(lambda: ZERO)
        for share in made.bills:
            if share.amount:
                booked[share.pupil] += share.amount
        if made.credit_to:
            booked[made.credit_to] += made.credit
        return Verdict(booked, () if booked else _each_once(share.pupil for share in made.bills))

    return judge


def pretix(world: World) -> Way:
    """Return pretix's way: each school an organiser of its own, with our prefix and codes of nine characters."""
    orders: dict[str, list[Order]] = defaultdict(list)
    owner = {}
    for asked in world.requests:
        request = asked.request
        code = request.reference[len(PREFIX) :]
        owner[code] = request.pupil
        orders[request.school].append(Order(PREFIX, code, request.due.dong, _STATUS[request.status]))
    importers = {school: Importer(listed, code_length=BODY_LENGTH, at_event=False) for school, listed in orders.items()}

    def judge(labelled: Labelled) -> Verdict:
        result = importers[labelled.transfer.school or ""].book(labelled.transfer.memo, labelled.transfer.amount.dong)
        booked = {owner[code]: Money(amount) for code, amount in result.booked.items()}
        return Verdict(booked, [owner[result.remembered]] if result.remembered else ())

    return judge


def same_amount(world: World) -> Way:
    """Return the way that looks at nothing but the sum and the day."""
    finder = SameAmount(world.requests)

    def judge(labelled: Labelled) -> Verdict:
        transfer = labelled.transfer
        fitting = finder.fitting(transfer.account, transfer.amount, labelled.at)
        if len(fitting) == 1:
            return Verdict({fitting[0].pupil: transfer.amount})
        return Verdict({}, _each_once(request.pupil for request in fitting))

    return judge


def ways(world: World) -> dict[str, Way]:
    """Return the three ways by name."""
    book = MemoryBook((asked.request for asked in world.requests), world.people)
    return {"hocphi": ours(book), "pretix": pretix(world), "same amount, 24 h": same_amount(world)}


def score(transfers: Iterable[Labelled], way: Way) -> dict[Kind, Tally]:
    """Judge every transfer; return the counts by kind."""
    tallies = {kind: Tally() for kind in Kind}
    for labelled in transfers:
        tallies[labelled.kind].add(labelled, way(labelled))
    return tallies


def faults_of_mix(transfers: Sequence[Labelled]) -> list[str]:
    """Return what is off in the mix, in words; nothing when every share is as fixed and every label true."""
    kinds = Counter(labelled.kind for labelled in transfers)
    total = len(transfers)
    faults = [
        f"{kind}: {kinds[kind]} of {total}, not {share} %"
        for kind, share in MIX.items()
        if kinds[kind] * 100 != share * total
    ]
    faults += [f"transfer {each.transfer.id} is not: {each.kind}" for each in transfers if not is_of_its_kind(each)]
    damaged = [each for each in transfers if each.kind is Kind.ONE_DAMAGED]
    for name, counts, parts in (
        ("place", Counter(each.place for each in damaged), LENGTH),
        ("edit", Counter(each.edit for each in damaged), 3),
    ):
        # Places and edits are taken in turn: a whole round of both is 33 transfers.
        if len(counts) != parts or max(counts.values()) - min(counts.values()) > LENGTH:
            faults.append(f"damage is not uniform by {name}: {dict(counts)}")
    return faults


def missed(tallies: Tallies) -> list[str]:
    """Return the demands that our matcher does not meet, in words."""
    whole, damaged = tallies[Kind.WHOLE], tallies[Kind.ONE_DAMAGED]
    wrong = sum(tally.wrong for tally in tallies.values())
    faults = []
    if wrong:
        faults.append(f"{wrong} transfers landed on the wrong child; demanded: 0")
    if whole.alone < WHOLE_ALONE_AT_LEAST * whole.transfers:
        faults.append(f"whole references matched alone: {whole.alone} of {whole.transfers}; demanded: 99 %")
    if damaged.first < FIRST_SUGGESTION_AT_LEAST * damaged.transfers:
        faults.append(f"one damaged, right first: {damaged.first} of {damaged.transfers}; demanded: 95 %")
    return faults


def _each_once(pupils: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(pupil for pupil in pupils if pupil))
