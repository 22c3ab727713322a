"""The matcher's short ways decide, and say why, exactly as the long way does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.accuracy.__main__ import PUPILS, TRANSFERS, made
from benchmarks.accuracy.damaging import EDITS, one_damaged, two_damaged
from billing.money import Money
from billing.payments.reference import ALPHABET, find
from reconciliation.deciding import decide
from reconciliation.feeds.memo_damage import ROUTES, Sent, damage
from reconciliation.matching import IncomingTransfer, OpenRequest, RequestStatus
from reconciliation.memo import Memo
from reconciliation.memory_book import MemoryBook
from reconciliation.weak_signs import Lead, Person
from tests.reconciliation.long_way import deciding, reading, spelling
from tests.reconciliation.matching_builders import ACCOUNT, OTHER_ACCOUNT, reference

NAMES = ("Nguyễn Văn An", "Nguyễn Văn Anh", "Lê Thị Bình", "Điểu K'Rể", "hs-0004")
PAYERS = (None, "aa", "bb")
PHONE = "84905123456"


class LongWayBook(MemoryBook):
    """The same book, which looks pupils up the long way."""

    def __init__(self, entries: Iterable[OpenRequest], people: Sequence[Person]) -> None:
        super().__init__(entries)
        self._all = spelling.People(people)

    def leads(self, transfer: IncomingTransfer, memo: Memo) -> Sequence[Lead]:
        """Return the pupils to whom a memo or payer leads."""
        return self._all.leads(memo.text, transfer.payer)


numbers = st.integers(1, 6)
sums = st.sampled_from([0, 50_000, 100_000, 150_000])
accounts = st.sampled_from([ACCOUNT, ACCOUNT, ACCOUNT, OTHER_ACCOUNT])
schools = st.sampled_from(["TH An Bình", "TH An Bình", "THCS Bình Minh"])
virtual_accounts = st.sampled_from([None, None, None, "V1"])


@st.composite
def entries(draw: st.DrawFn) -> list[OpenRequest]:
    return [
        OpenRequest(
            reference=reference(draw(numbers)),
            pupil=f"p{draw(st.integers(0, 4))}",
            family=draw(st.sampled_from(["f1", "f2"])),
            school=draw(schools),
            account=draw(accounts),
            virtual_account=draw(virtual_accounts),
            due=Money(draw(sums)),
            status=draw(st.sampled_from([RequestStatus.OPEN, RequestStatus.OPEN, RequestStatus.PAID])),
            key=draw(st.sampled_from([None, str(place)])),
        )
        for place in range(draw(st.integers(0, 7)))
    ]


@st.composite
def people(draw: st.DrawFn) -> list[Person]:
    return [
        Person(
            pupil=f"p{number}",
            name=name,
            class_code=draw(st.sampled_from(["3A", "4B1", "(chưa)"])),
            phones=frozenset(draw(st.sets(st.just(PHONE)))),
            payers=frozenset(draw(st.sets(st.sampled_from(["aa", "bb"])))),
        )
        for number, name in enumerate(NAMES)
    ]


@st.composite
def codes(draw: st.DrawFn) -> str:
    """Draw a reference, whole or with the mistakes of hands."""
    code = reference(draw(numbers))
    random = draw(st.randoms(use_true_random=False))
    how = draw(st.sampled_from(["whole", "whole", "one", "two", "extra"]))
    if how == "one":
        return one_damaged(code, draw(st.integers(0, 10)), draw(st.sampled_from(EDITS)), random) or code
    if how == "two":
        return two_damaged(code, random)
    place = draw(st.integers(0, 11))
    return code[:place] + draw(st.sampled_from(ALPHABET + "FW0")) + code[place:] if how == "extra" else code


words = st.one_of(
    codes(),
    codes(),
    st.sampled_from([*NAMES, "lop 3A", "0905123456", "84905123456", "W", "F", "FW", "đ", "ỏ", "x²", "NGUYEN VA N AN"]),
    st.text(ALPHABET + "FW", max_size=12),
)


@st.composite
def memos(draw: st.DrawFn) -> str:
    memo = draw(st.sampled_from([" ", "", ".", "  "])).join(draw(st.lists(words, max_size=5)))
    memo = memo.lower() if draw(st.booleans()) else memo
    route = draw(st.sampled_from([None, *sorted(ROUTES)]))
    if route is None:
        return memo
    sent = Sent(
        memo=memo,
        payer_name="Nguyễn Văn F",
        payer_account="1900000001",
        to_name="Trường An Bình",
        to_account=ACCOUNT,
        at=datetime(2025, 9, 8, tzinfo=UTC),
    )
    return damage(sent, route, draw(st.randoms(use_true_random=False)))


@st.composite
def transfers(draw: st.DrawFn) -> IncomingTransfer:
    return IncomingTransfer(
        id="1",
        amount=Money(draw(sums)),
        memo=draw(memos()),
        account=draw(accounts),
        virtual_account=draw(virtual_accounts),
        school=draw(st.one_of(st.none(), schools)),
        payer=draw(st.sampled_from(PAYERS)),
    )


@given(transfers(), entries(), people())
def test_every_decision_is_that_of_the_long_way(
    transfer: IncomingTransfer, listed: list[OpenRequest], known: list[Person]
) -> None:
    assert decide(transfer, MemoryBook(listed, known)) == deciding.decide(transfer, LongWayBook(listed, known))


@given(memos())
@example("FW" * 30)
@example(reference(1) + reference(1)[:-1] + reference(2))
def test_every_memo_is_read_as_the_long_way_reads_it(memo: str) -> None:
    assert find(memo) == reading.find(memo)


@given(st.text("FW23456789ABCDEGH 0", max_size=60))
def test_letters_that_look_like_references_are_read_as_the_long_way_reads_them(memo: str) -> None:
    assert find(memo) == reading.find(memo)


def _differing(transfers: int, pupils: int) -> list[str]:
    world, labelled = made(transfers, pupils)
    requests = [asked.request for asked in world.requests]
    short, long = MemoryBook(requests, world.people), LongWayBook(requests, world.people)
    return [
        each.transfer.memo for each in labelled if decide(each.transfer, short) != deciding.decide(each.transfer, long)
    ]


def test_the_transfers_of_the_accuracy_run_are_decided_as_the_long_way_does() -> None:
    assert _differing(1_000, 200) == []


@pytest.mark.proof
def test_all_transfers_of_the_accuracy_run_are_decided_as_the_long_way_does() -> None:
    assert _differing(TRANSFERS, PUPILS) == []
