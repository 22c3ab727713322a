"""What the matcher suggests when no exact reference decides: ranked, with evidence, and never money."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from billing.money import ZERO
from reconciliation.deciding import decide
from reconciliation.matching import POSTING, Decision, IncomingTransfer, OpenRequest
from reconciliation.memory_book import MemoryBook
from reconciliation.weak_signs import Person
from tests.reconciliation.matching_builders import OTHER_ACCOUNT, entry, paying, reference

PEOPLE = [
    Person(
        pupil="an", name="Nguyễn Văn An", class_code="3A", phones=frozenset({"84905123456"}), payers=frozenset({"aa"})
    ),
    Person(pupil="bình", name="Lê Thị Bình", class_code="3B", payers=frozenset({"bb"})),
    Person(pupil="an2", name="Nguyễn Văn An", class_code="5C"),
]
ENTRIES = [
    entry(1, 650_000, pupil="an"),
    entry(2, 700_000, pupil="an"),
    entry(3, 650_000, pupil="bình"),
    entry(4, 500_000, pupil="an2"),
]


def suggested(memo: str, amount: int = 650_000, payer: str | None = None, *more: OpenRequest) -> Decision:
    return decide(replace(paying(memo, amount), payer=payer), MemoryBook([*ENTRIES, *more], PEOPLE))


def order(made: Decision) -> list[str]:
    return [share.reference for share in made.bills]


def candidates(made: Decision) -> list[dict[str, object]]:
    note = made.evidence[-1]
    assert isinstance(note, dict)
    listed: list[dict[str, object]] = note["candidates"]
    return listed


def test_a_name_suggests_the_childs_bills_the_fitting_sum_first() -> None:
    made = suggested("NGUYEN VAN AN nop hoc phi lop 3A", 700_000)

    assert (made.outcome, made.evidence[0]) == ("suggested", "weaker_signs")
    assert order(made) == [reference(2), reference(1), reference(4)]
    assert all(share.amount == ZERO for share in made.bills)
    assert candidates(made)[0] == {
        "reference": reference(2),
        "rank": 1,
        "signs": [
            {"sign": "name", "written": "NGUYEN VAN AN", "at": [0, 13]},
            {"sign": "class", "written": "LOP 3A"},
            {"sign": "amount", "due": 700_000},
        ],
    }


def test_of_one_childs_equally_strong_bills_the_oldest_is_first() -> None:
    assert order(suggested("LE THI BINH", 1, None, entry(9, 10, pupil="bình")))[0] == reference(3)


def test_two_children_of_one_name_are_equal_and_share_the_rank() -> None:
    made = suggested("NGUYEN VAN AN", 1)

    assert [(each["reference"], each["rank"]) for each in candidates(made)] == [
        (reference(1), 1),
        (reference(4), 1),
        (reference(2), 3),
    ]


def test_the_amount_alone_and_the_class_alone_suggest_nothing() -> None:
    for memo in ("chuyen tien", "hoc phi lop 3A", ""):
        assert suggested(memo).outcome == "unmatched"


def test_a_known_payer_or_phone_suggests_and_moves_nothing() -> None:
    by_payer = suggested("chuyen tien", 650_000, "bb")
    by_phone = suggested("hoc phi 0905123456", 650_000)

    assert (by_payer.outcome, order(by_payer)) == ("suggested", [reference(3)])
    assert candidates(by_payer)[0]["signs"] == [
        {"sign": "payer", "paid_before": True},
        {"sign": "amount", "due": 650_000},
    ]
    assert (by_phone.outcome, order(by_phone)) == ("suggested", [reference(1), reference(2)])


def test_a_corrected_code_stands_before_a_name_and_behind_name_and_payer_together() -> None:
    typed = reference(3)[:4] + ("2" if reference(3)[4] != "2" else "3") + reference(3)[5:]

    assert order(suggested(f"{typed} NGUYEN VAN AN"))[0] == reference(3)
    assert order(suggested(f"{typed} NGUYEN VAN AN", 650_000, "aa"))[0] == reference(1)


def test_signs_raise_the_right_one_of_two_corrected_codes() -> None:
    made = suggested(f"{reference(3)[:-1]} LE THI BINH")

    kinds = [sign["sign"] for sign in candidates(made)[0]["signs"]]  # type: ignore[attr-defined]  # a list, as told
    assert kinds == ["corrected", "name", "amount"]


def test_a_child_with_nothing_open_here_is_not_listed() -> None:
    book = MemoryBook([entry(1, pupil="an", status="paid"), entry(2, pupil="an", account=OTHER_ACCOUNT)], PEOPLE)

    assert decide(paying("NGUYEN VAN AN"), book).outcome == "unmatched"


def test_an_exact_reference_needs_no_other_sign_and_heeds_none() -> None:
    made = suggested(f"{reference(3)} NGUYEN VAN AN lop 3A 0905123456", 650_000, "aa")

    assert (made.outcome, order(made)) == ("matched", [reference(3)])


def test_a_surplus_tells_what_brothers_and_sisters_still_owe() -> None:
    mine, other = entry(1, 650_000, pupil="an"), entry(2, 300_000, pupil="bình")
    stranger = replace(entry(3, 300_000, pupil="châu"), family="another")
    made = decide(paying(reference(1), 950_000), MemoryBook([mine, other, stranger]))

    assert (made.outcome, made.credit.dong, made.credit_to) == ("overpaid", 300_000, "an")
    assert {"family_also_due": [{"reference": reference(2), "due": 300_000}]} in made.evidence


def test_without_a_family_no_stranger_is_told() -> None:
    loners = [replace(entry(number, pupil=f"p{number}"), family="") for number in (1, 2)]
    made = decide(paying(reference(1), 950_000), MemoryBook(loners))

    assert not any("family_also_due" in note for note in made.evidence if isinstance(note, dict))


weak = st.lists(
    st.sampled_from(["NGUYEN VAN AN", "Lê Thị Bình", "3A", "lop 5C", "0905123456", "hoc phi", "650000", "T9", "CK"]),
    max_size=6,
).map(" ".join)


@given(weak, st.sampled_from([10, 500_000, 650_000, 700_000]), st.sampled_from([None, "aa", "bb", "cc"]))
def test_weak_signs_never_move_money_however_many_there_are(memo: str, amount: int, payer: str | None) -> None:
    made = suggested(memo, amount, payer)

    assert made.outcome not in POSTING
    assert made.credit == ZERO
    assert all(share.amount == ZERO for share in made.bills)
    assert len(set(order(made))) == len(made.bills)
    if made.bills:
        places = [int(str(each["rank"])) for each in candidates(made)]
        assert places == sorted(places)


@given(weak, st.permutations(ENTRIES[1:]))
def test_the_strongest_is_first_however_the_book_is_listed(memo: str, listed: list[OpenRequest]) -> None:
    transfer: IncomingTransfer = paying(memo, 650_000)
    one = decide(transfer, MemoryBook([ENTRIES[0], *listed], PEOPLE))
    other = decide(transfer, MemoryBook([*listed, ENTRIES[0]], PEOPLE))

    assert one.outcome == other.outcome
    if one.bills:
        best = {str(each["reference"]) for each in candidates(one) if each["rank"] == 1}
        assert best & {str(each["reference"]) for each in candidates(other) if each["rank"] == 1}
