"""Properties of weak signs: what is read is there, and nothing weak is strong alone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.payments.reference import fold_memo
from reconciliation.feeds.memo_damage import between_banks
from reconciliation.memo import Memo
from reconciliation.names import names_in
from reconciliation.weak_signs import (
    LISTING,
    WEIGHTS,
    Lead,
    People,
    Person,
    Sign,
    Signed,
    class_in,
    families_of,
    ranks,
    signs_of,
)

ALL = frozenset(Sign)
AN = Person(
    pupil="an",
    name="Nguyễn Thị Ngọc Ánh",
    class_code="3A",
    phones=frozenset({"84905123456"}),
    payers=frozenset({"aa"}),
)
MEMO = "MBVCB.3278907687.NGUYEN THI NGOC ANH lop 3A hoc phi 0905123456"
words = st.sampled_from(["NGUYEN", "Thị", "ngoc", "Ánh", "LAN", "3A", "hoc", "phi", "T9", "0905123456", "-", "."])
memos = st.lists(words, max_size=12).flatmap(
    lambda parts: st.sampled_from([" ", "", "."]).map(lambda by: by.join(parts))
)


@pytest.mark.parametrize(
    "memo",
    [
        "Nguyễn Thị Ngọc Ánh nộp học phí",
        "hoc phi NGUYEN THI NGOC ANH",
        "MBVCB.327890.NguyenThiNgocAnh.CT tu",
        "nguyen thi ngo c anh",
        "HP_Nguyen-Thi-Ngoc-Anh_T9",
    ],
)
def test_a_name_is_found_as_families_and_banks_write_it(memo: str) -> None:
    [lead] = People([AN]).leads(Memo(memo), None)

    assert (lead.pupil, lead.name, lead.phone, lead.payer) == ("an", "NGUYENTHINGOCANH", "", False)


@pytest.mark.parametrize("memo", ["NGUYEN THI NGOC", "NGUYEN 3 THI NGOC ANH", "TRAN NGUYEN THI NGOC ANHH", ""])
def test_a_part_of_a_name_leads_nowhere(memo: str) -> None:
    assert People([AN]).leads(Memo(memo), None) == []


def test_every_sign_is_told_with_the_characters_it_was_read_from() -> None:
    [lead] = People([AN]).leads(Memo(MEMO), "aa")

    assert signs_of(Memo(MEMO), lead, ALL).told == [
        {"sign": "name", "written": "NGUYEN THI NGOC ANH", "at": [17, 36]},
        {"sign": "phone", "written": "0905123456", "at": [52, 62]},
        {"sign": "payer", "paid_before": True},
        {"sign": "class", "written": "LOP 3A"},
    ]
    assert MEMO[52:62] == "0905123456"


def test_a_class_stands_alone_and_is_no_sign_by_itself() -> None:
    assert class_in(Memo("hoc phi lop 3a"), "3A") == "LOP 3A"
    assert (
        class_in(Memo("hoc phi 3A1"), "3A")
        == class_in(Memo("13A"), "3A")
        == class_in(Memo("3A"), "")
        == class_in(Memo("x"), "(chưa)")
        == ""
    )
    assert signs_of(Memo("hoc phi lop 3A"), Lead("an", class_code="3A"), ALL).told == []


def test_phone_numbers_are_read_in_both_ways_and_through_a_break() -> None:
    assert (
        Memo("sdt 0905123456").phones
        == Memo("+84 905 123 456").phones
        == Memo("0905 123456").phones
        == ("84905123456",)
    )
    assert Memo("MoMoT0905123456T28994691053T970416T").phones == ("84905123456",)
    assert Memo("012345").phones == ()


@given(memos)
def test_whatever_is_read_stands_in_the_memo(memo: str) -> None:
    letters = fold_memo(memo)
    assert all(key in letters for key in names_in(Memo(memo)))
    assert all(phone[2:] in letters for phone in Memo(memo).phones)
    for lead in People([AN]).leads(Memo(memo), "aa"):
        for told in signs_of(Memo(memo), lead, ALL).told:
            match told.get("at"):
                case [int(first), int(end)]:
                    assert memo[first:end] == told["written"]


@given(st.text("ABCDEGHIK ", max_size=20), st.text("ABCDEGHIK ", max_size=40))
def test_a_name_survives_the_banks_break(before: str, behind: str) -> None:
    memo = between_banks(f"{before.strip()}.NGUYEN THI NGOC ANH.{behind.strip()}")

    assert [lead.pupil for lead in People([AN]).leads(Memo(memo), None)] == ["an"]


@given(memos, st.sets(st.sampled_from(sorted(Sign))))
def test_only_what_a_school_allows_is_told(memo: str, allowed: set[Sign]) -> None:
    for lead in People([AN]).leads(Memo(memo), "aa"):
        assert {told["sign"] for told in signs_of(Memo(memo), lead, frozenset(allowed)).told} <= allowed


def signed(kinds: Iterable[Sign]) -> Signed:
    signs = Signed()
    for kind in kinds:
        signs.add(kind, {"sign": kind.value})
    return signs


@given(st.sets(st.sampled_from(sorted(Sign))), st.sampled_from(sorted(Sign)))
def test_more_signs_never_weaken_and_without_one_that_lists_there_is_no_weight(kinds: set[Sign], more: Sign) -> None:
    signs, stronger = signed(kinds), signed([*kinds, more])

    assert stronger.weight >= signs.weight
    assert (signs.weight == 0) == (not kinds & LISTING)
    assert signed([*kinds, *kinds]).weight == signs.weight, "the same sign twice is one"
    assert signs.weight in {0, sum(WEIGHTS[kind] for kind in kinds)}


def test_a_corrected_reference_outweighs_one_other_sign_and_no_two_of_them() -> None:
    helpers = WEIGHTS[Sign.AMOUNT] + WEIGHTS[Sign.CLASS]
    others = LISTING - {Sign.CORRECTED}
    assert all(WEIGHTS[Sign.CORRECTED] + WEIGHTS[Sign.AMOUNT] > WEIGHTS[sign] + helpers for sign in others)
    assert all(WEIGHTS[one] + WEIGHTS[two] > WEIGHTS[Sign.CORRECTED] for one, two in combinations(others, 2))


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.integers(1, 5).map(str), max_size=3)))
def test_families_are_counted_alike_whatever_the_order(guardians: dict[str, set[str]]) -> None:
    count = families_of(guardians)

    assert count == families_of(dict(reversed(guardians.items())))
    assert count <= len(guardians)
    assert (count == 0) == (not guardians)
    assert families_of({pupil: {"1"} for pupil in guardians}) == min(1, len(guardians))
    assert families_of({pupil: set[str]() for pupil in guardians}) == len(guardians)


@given(st.lists(st.integers(0, 4)).map(sorted))
def test_equal_strength_shares_a_rank(strengths: list[int]) -> None:
    made = ranks(strengths)

    assert made == [strengths.index(strength) + 1 for strength in strengths]
