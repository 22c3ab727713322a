"""The labelled transfers: whose money it is, how it arrives, and proof that each is of its kind.

The mix is fixed. Every transfer takes one of the measured routes between banks (``memo_damage``): pieces of 35
characters, prefixes, trace suffixes, no signs, 140 at most. A memo is made anew until it is of its kind *as it
arrives*: a reference that a bank cut off is not whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from benchmarks.accuracy.damaging import EDITS, one_damaged, towards, two_damaged
from benchmarks.accuracy.world import Asked, PupilFacts, World, account_of
from billing.money import Money
from billing.payments.reference import LENGTH, find, fold_memo
from reconciliation.feeds.memo_damage import ROUTES, Sent, damage
from reconciliation.matching import IncomingTransfer


class Kind(StrEnum):
    """What is special about a transfer."""

    WHOLE = "reference whole"
    ONE_DAMAGED = "one character damaged"
    TWO_DAMAGED = "two characters damaged"
    CLOSED = "code of a closed or void request"
    OTHER_SCHOOL = "another school's valid code"
    TWIN = "1-2 characters off another open bill"
    SIBLINGS = "brothers and sisters"
    NO_CODE = "no code"


MIX: Mapping[Kind, int] = {
    Kind.WHOLE: 60,
    Kind.ONE_DAMAGED: 15,
    Kind.TWO_DAMAGED: 5,
    Kind.CLOSED: 5,
    Kind.OTHER_SCHOOL: 5,
    Kind.TWIN: 4,
    Kind.SIBLINGS: 3,
    Kind.NO_CODE: 3,
}
"""Of a hundred transfers."""

_TRIES = 1000
_ROUTES = sorted(ROUTES)
_WALLETS = frozenset({"from MoMo", "from MoMo to ACB", "from ZaloPay"})
_SIBLING_WAYS = 4
_TALK = (
    "",
    "",
    "hoc phi thang {month}",
    "HP T{month} {name}",
    "{name} {class_code} nop hoc phi thang {month}",
    "Học phí tháng {month} của {name} lớp {class_code}",
    "tien an ban tru {name} {class_code} {phone}",
)
_WITHOUT_CODE = (
    "{name} lop {class_code} nop hoc phi thang {month}",
    "Học phí tháng {month} {name}",
    "{name} chuyen tien",
    "hoc phi {given} {class_code} {phone}",
    "hoc phi thang {month} lop {class_code}",
    "chuyen tien",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A transfer with the truth about it.

    ``right``: the pupils a person should be shown. ``owners``: what each may be given without a person being asked;
    empty where nothing may move (money for another school). ``code``: what the family typed for a code. ``edit`` and
    ``place`` (0 to 10) of a single damage. ``at``: UTC.
    """

    transfer: IncomingTransfer
    kind: Kind
    asked: tuple[Asked, ...]
    right: frozenset[str]
    owners: Mapping[str, Money]
    code: str
    at: datetime
    edit: str = ""
    place: int = -1


@dataclass
class Maker:
    """Makes the labelled transfers of a world."""

    world: World
    random: Random
    _count: dict[Kind, int] = field(default_factory=dict)

    def make(self, total: int) -> list[Labelled]:
        """Return so many transfers (a multiple of 100) in the fixed mix, shuffled."""
        kinds = [kind for kind, share in MIX.items() for _ in range(total * share // 100)]
        self.random.shuffle(kinds)
        return [self._one(number, kind) for number, kind in enumerate(kinds)]

    def _one(self, number: int, kind: Kind) -> Labelled:
        turn = self._count[kind] = self._count.get(kind, -1) + 1
        for _ in range(_TRIES):
            made = _MAKERS[kind](self, str(number), turn)
            if made is not None and is_of_its_kind(made):
                return made
        raise AssertionError(f"no transfer of the kind {kind} could be made")

    def open_request(self) -> tuple[PupilFacts, Asked]:
        """Draw a pupil and one of its open requests."""
        pupil = self.random.choice(self.world.pupils)
        return pupil, self.random.choice(self.world.open[pupil.id])

    def arrive(self, number: str, pupil: PupilFacts, text: str, amount: Money, school: str = "") -> IncomingTransfer:
        """Send a memo by one of the routes to the account of a school (the pupil's own unless told otherwise)."""
        school = school or pupil.school
        typed = text.lower() if self.random.random() < 0.1 else text  # noqa: PLR2004  one in ten
        sent = Sent(
            memo=typed,
            payer_name=f"Nguyen Van {pupil.family.upper()}",
            payer_account=pupil.payer_account,
            to_name=f"TRUONG SO {school}",
            to_account=account_of(school),
            at=self.world.open[pupil.id][0].at,
        )
        route = self.random.choice(_ROUTES)
        return IncomingTransfer(
            id=number,
            amount=amount,
            memo=damage(sent, route, self.random),
            account=account_of(school),
            school=school,
            payer=None if route in _WALLETS else pupil.payer_account,
        )

    def around(self, code: str, pupil: PupilFacts) -> str:
        """Write what families write beside a code: mostly behind it, as the QR puts it first."""
        talk = said(self.random.choice(_TALK), pupil, self.random)
        return f"{code} {talk}".strip() if self.random.random() < 0.8 else f"{talk} {code}".strip()  # noqa: PLR2004

    def label(  # noqa: PLR0913  a label says that much
        self, kind: Kind, number: str, pupil: PupilFacts, asked: Asked, *, code: str, amount: Money
    ) -> Labelled:
        """Send a code with words around it; the pupil is right and owns the money."""
        transfer = self.arrive(number, pupil, self.around(code, pupil), amount)
        return Labelled(
            transfer=transfer,
            kind=kind,
            asked=(asked,),
            right=frozenset({pupil.id}),
            owners={pupil.id: amount},
            code=code,
            at=asked.at + timedelta(hours=self.hours()),
        )

    def hours(self) -> float:
        """Draw how long a family took from seeing the request to paying: half a day on average."""
        return self.random.expovariate(1 / 12)


def said(shape: str, pupil: PupilFacts, random: Random) -> str:
    """Fill a pupil's name, class and phone into a way of writing."""
    given = pupil.name.split()[-1]
    month = random.randint(1, 12)
    return shape.format(
        name=pupil.name, class_code=pupil.class_code, phone=pupil.phone, given=given, month=month
    ).strip()


def _whole(maker: Maker, number: str, turn: int) -> Labelled:
    """Pay the sum asked for, or (one in twelve) less or more than it."""
    pupil, asked = maker.open_request()
    due, code = asked.request.due, asked.request.reference
    amount = {0: due - Money(100_000), 1: due + Money(50_000)}.get(turn % 24, due)
    return maker.label(Kind.WHOLE, number, pupil, asked, code=code, amount=amount)


def _one_damaged(maker: Maker, number: str, turn: int) -> Labelled | None:
    """Damage each place and each way in turn, so that both are uniform."""
    pupil, asked = maker.open_request()
    place, edit = turn % LENGTH, EDITS[turn // LENGTH % len(EDITS)]
    typed = one_damaged(asked.request.reference, place, edit, maker.random)
    if typed is None:
        return None
    made = maker.label(Kind.ONE_DAMAGED, number, pupil, asked, code=typed, amount=asked.request.due)
    return replace(made, edit=edit, place=place)


def _two_damaged(maker: Maker, number: str, turn: int) -> Labelled:
    del turn
    pupil, asked = maker.open_request()
    typed = two_damaged(asked.request.reference, maker.random)
    return maker.label(Kind.TWO_DAMAGED, number, pupil, asked, code=typed, amount=asked.request.due)


def _closed(maker: Maker, number: str, turn: int) -> Labelled:
    del turn
    pupil = maker.random.choice(maker.world.pupils)
    asked = maker.world.closed[pupil.id]
    return maker.label(Kind.CLOSED, number, pupil, asked, code=asked.request.reference, amount=asked.request.due)


def _other_school(maker: Maker, number: str, turn: int) -> Labelled | None:
    """Send a pupil's code to the account of a school the pupil does not go to: no money may move by itself."""
    del turn
    pupil, asked = maker.open_request()
    elsewhere = maker.random.choice(maker.world.pupils).school
    if elsewhere == pupil.school:
        return None
    code, due = asked.request.reference, asked.request.due
    transfer = maker.arrive(number, pupil, maker.around(code, pupil), due, elsewhere)
    return replace(
        maker.label(Kind.OTHER_SCHOOL, number, pupil, asked, code=code, amount=due), transfer=transfer, owners={}
    )


def _twin(maker: Maker, number: str, turn: int) -> Labelled:
    """Mistype a code into one that is as near, or nearer, to another pupil's open bill of the same sum."""
    pair = list(maker.random.choice(maker.world.twins))
    maker.random.shuffle(pair)
    asked, other = pair
    pupil = maker.world.by_id[asked.request.pupil]
    typed = towards(asked.request.reference, other.request.reference, 1 + turn % 2, maker.random)
    return maker.label(Kind.TWIN, number, pupil, asked, code=typed, amount=asked.request.due)


def _siblings(maker: Maker, number: str, turn: int) -> Labelled | None:
    """Pay for two children at once, in four ways taken in turn.

    Both codes and the exact sum; both codes and a rest left; two schools; and one code only with the sum of both: its
    code names one child, so the rest is that child's credit until a person moves it.
    """
    way = turn % _SIBLING_WAYS
    one, two = maker.random.choice(maker.world.siblings)
    if (one.school != two.school) != (way == 2):  # noqa: PLR2004  the third way
        return None
    first, second = maker.world.open[one.id][0], maker.world.open[two.id][0]
    due, rest = first.request.due, second.request.due
    amount = due + rest - Money(10_000) if way == 1 else due + rest
    codes = [first.request.reference, second.request.reference][: 1 if way == _SIBLING_WAYS - 1 else 2]
    owners: list[dict[str, Money]] = [
        {one.id: due, two.id: rest},
        {one.id: due, two.id: amount - due},
        {},
        {one.id: amount},
    ]
    made = maker.label(Kind.SIBLINGS, number, one, first, code=" ".join(codes), amount=amount)
    return replace(made, asked=(first, second), right=frozenset({one.id, two.id}), owners=owners[way])


def _no_code(maker: Maker, number: str, turn: int) -> Labelled:
    pupil, asked = maker.open_request()
    text = said(_WITHOUT_CODE[turn % len(_WITHOUT_CODE)], pupil, maker.random)
    made = maker.label(Kind.NO_CODE, number, pupil, asked, code="", amount=asked.request.due)
    return replace(made, transfer=maker.arrive(number, pupil, text, asked.request.due))


_MAKERS: Mapping[Kind, Callable[[Maker, str, int], Labelled | None]] = {
    Kind.WHOLE: _whole,
    Kind.ONE_DAMAGED: _one_damaged,
    Kind.TWO_DAMAGED: _two_damaged,
    Kind.CLOSED: _closed,
    Kind.OTHER_SCHOOL: _other_school,
    Kind.TWIN: _twin,
    Kind.SIBLINGS: _siblings,
    Kind.NO_CODE: _no_code,
}
_CODES_STAND = frozenset({Kind.WHOLE, Kind.CLOSED, Kind.OTHER_SCHOOL, Kind.SIBLINGS})


def is_of_its_kind(made: Labelled) -> bool:
    """Tell, from the memo as it arrived, whether a transfer is what its label says."""
    letters = fold_memo(made.transfer.memo)
    if made.kind in _CODES_STAND:
        return all(code in letters for code in made.code.split())
    codes_asked = [asked.request.reference for asked in made.asked]
    if any(code in letters for code in codes_asked) or find(made.transfer.memo).exact:
        return False
    return made.code in letters
