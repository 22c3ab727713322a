"""A setting of weaker signs, tried on transfers: every transfer is in one group, and money never moves by it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation import rule_preview
from reconciliation.deciding import decide
from reconciliation.matching import POSTING, IncomingTransfer, Outcome
from reconciliation.memory_book import MemoryBook
from reconciliation.rule_preview import RulePreview, preview
from reconciliation.weak_signs import Person, Sign
from tests.reconciliation.matching_builders import entry, paying, reference

ALL = frozenset(Sign)
BOOK = MemoryBook(
    [entry(1, pupil="an"), entry(2, pupil="bình"), entry(3, 700_000, pupil="an")],
    [
        Person(pupil="an", name="Nguyễn Văn An", payers=frozenset({"aa"})),
        Person(pupil="bình", name="Lê Thị Bình", phones=frozenset({"84905123456"})),
    ],
)
signs = st.sets(st.sampled_from(sorted(Sign))).map(frozenset)
memos = st.lists(
    st.sampled_from(
        [reference(1), reference(2)[:-1], "NGUYEN VAN AN", "Le Thi Binh", "0905123456", "hoc phi", reference(9)]
    ),
    max_size=4,
).map(" ".join)
transfers = st.builds(
    lambda memo, amount, payer: replace(paying(memo, amount), payer=payer),
    memos,
    st.sampled_from([650_000, 700_000, 5]),
    st.sampled_from([None, "aa"]),
)


def tried(made: list[IncomingTransfer], before: frozenset[Sign], after: frozenset[Sign]) -> RulePreview:
    return preview(((transfer, BOOK) for transfer in made), before, after)


def sizes(found: RulePreview) -> dict[str, int]:
    return {name: len(getattr(found, name)) for name in RulePreview.__slots__}


def test_what_is_matched_new_lost_moved_and_the_same() -> None:
    made = [
        paying(reference(1)),
        paying("NGUYEN VAN AN"),
        paying("0905123456"),
        paying("NGUYEN VAN AN 0905123456", 5),
        paying("chuyen tien"),
    ]
    by_name, by_phone = frozenset({Sign.NAME}), frozenset({Sign.PHONE})

    assert sizes(tried(made, by_phone, by_name)) == {"matched": 1, "newly": 1, "lost": 1, "moved": 1, "same": 1}
    assert tried(made, by_phone, by_name).newly[0].transfer == made[1]


@given(st.lists(transfers, max_size=8), signs, signs)
def test_every_transfer_is_in_one_group_and_no_setting_moves_money(
    made: list[IncomingTransfer], before: frozenset[Sign], after: frozenset[Sign]
) -> None:
    found = tried(made, before, after)

    assert sum(sizes(found).values()) == len(made)
    plain = [decide(transfer, BOOK) for transfer in made]
    assert len(found.matched) == sum(decision.outcome in POSTING for decision in plain)
    assert all(compared.before == compared.after for compared in found.matched)


@given(st.lists(transfers, max_size=8), signs, signs)
def test_backwards_it_gives_and_takes_the_same(
    made: list[IncomingTransfer], before: frozenset[Sign], after: frozenset[Sign]
) -> None:
    there, back = tried(made, before, after), tried(made, after, before)

    assert [each.transfer for each in there.newly] == [each.transfer for each in back.lost]
    assert len(there.moved) == len(back.moved)


@given(st.lists(transfers, max_size=8), signs)
def test_the_same_setting_changes_nothing_and_fewer_signs_suggest_nothing_new(
    made: list[IncomingTransfer], some: frozenset[Sign]
) -> None:
    assert sizes(tried(made, some, some)) | {"matched": 0, "same": 0} == dict.fromkeys(RulePreview.__slots__, 0)
    assert tried(made, ALL, some).newly == ()


def test_a_setting_that_moved_money_would_not_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(transfer: IncomingTransfer, book: rule_preview.Under) -> object:
        made = decide(transfer, BOOK)
        return replace(made, outcome=Outcome.CREDITED) if book.suggest_by() == ALL else made

    monkeypatch.setattr(rule_preview, "decide", broken)
    with pytest.raises(AssertionError, match="must not move money"):
        tried([paying("chuyen tien")], frozenset(), ALL)
