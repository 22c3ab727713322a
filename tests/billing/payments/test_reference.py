"""Tests of billing.payments.reference: making references, and finding them in what banks leave of a memo."""

from __future__ import annotations

import itertools
import json
import random
import string
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from billing.payments import reference
from billing.payments.reference import ALPHABET, HOW_MANY, find, fold_memo, is_valid, make, random_reference

KEY = bytes(range(32))
LETTERS = string.ascii_uppercase + string.digits
SHAPES = [
    json.loads(line)["shape"]
    for line in (Path(__file__).with_name("memo_shapes.jsonl")).read_text(encoding="utf-8").splitlines()
]

references = st.text(ALPHABET, min_size=7, max_size=7).map(make)
# Noise without F and W, so that it never takes part in a reference.
quiet = st.text("".join(set(LETTERS) - set("FW")) + " .,-/", max_size=30)


def follows_the_rule(text: str) -> bool:
    """The rule of the two check characters, written a second time and slowly."""
    if len(text) != 11 or text[:2] != "FW" or any(letter not in ALPHABET for letter in text[2:]):
        return False
    values = [ALPHABET.index(letter) for letter in text[2:]]
    return (
        sum(values) % 29 == 0
        and sum(place * value for place, value in zip(range(1, 10), values, strict=True)) % 29 == 0
    )


def one_edit_away(window: str) -> set[str]:
    """Every text one edit from the window, found by trying them all."""
    texts = set()
    for place in range(len(window) + 1):
        before, after = window[:place], window[place:]
        if len(window) == 10:
            texts |= {before + letter + after for letter in "FW" + ALPHABET}
        elif len(window) == 12 and after:
            texts.add(before + after[1:])
        elif len(window) == 11 and after:
            texts |= {before + letter + after[1:] for letter in "FW" + ALPHABET}
            texts.add(before + after[1::-1] + after[2:])
    return texts


def slow_find(text: str) -> tuple[list[str], dict[str, int]]:
    """What `find` must say about folded text: the exact codes, and the corrected ones with their first place."""
    starts = [at for at in range(len(text) - 10) if follows_the_rule(text[at : at + 11])]
    exact = list(dict.fromkeys(text[at : at + 11] for at in starts))
    corrected: dict[str, int] = {}
    for at in range(len(text)):
        for size in (10, 11, 12):
            window = text[at : at + size]
            if len(window) < size or any(at < start + 11 and start < at + size for start in starts):
                continue
            for code in one_edit_away(window):
                if follows_the_rule(code) and code not in exact:
                    corrected.setdefault(code, at)
    return exact, corrected


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str]:
    """A reference, and what one slip of a hand makes of it."""
    code = draw(references)
    place = draw(st.integers(0, 10))
    before, after = code[:place], code[place:]
    kind = draw(st.sampled_from(["wrong", "lost", "added", "swapped"]))
    if kind == "wrong":
        slip = before + draw(st.sampled_from([letter for letter in LETTERS if letter != after[0]])) + after[1:]
    elif kind == "lost":
        slip = before + after[1:]
    elif kind == "added":
        slip = before + draw(st.sampled_from(LETTERS)) + after
    else:
        slip = before + after[1::-1] + after[2:]
    assume(not follows_the_rule(slip) and "".join(code) not in slip)
    return code, slip


def test_a_known_reference() -> None:
    # Values 0..6: sum 21, weighted sum 112; so c8 + c9 = 8 and 8*c8 + 9*c9 = 4 modulo 29.
    assert make("2345678") == "FW2345678CY"
    assert follows_the_rule("FW2345678CY")


@given(references)
def test_what_is_made_is_valid(code: str) -> None:
    assert follows_the_rule(code)
    assert is_valid(code)
    assert not is_valid(code.lower())
    assert not is_valid(code + "2")
    assert not is_valid("HP" + code[2:])


@pytest.mark.parametrize(
    "data", ["", "234567", "23456789", "234567F", "234567W", "234567O", "234567é", "２３４５６７８"]
)
def test_data_of_another_shape_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match="7 characters"):
        make(data)


@pytest.mark.parametrize(
    "text", ["", "FW", "FW2345678CY\n", " FW2345678CY", "FW2345678BO", "FW２345678CY", "\ud800" * 11]
)
def test_other_texts_are_not_valid(text: str) -> None:
    assert not is_valid(text)


@given(references, st.data())
def test_any_one_or_two_wrong_characters_are_noticed(code: str, data: st.DataObject) -> None:
    places = data.draw(st.sets(st.integers(2, 10), min_size=1, max_size=2))
    letters = list(code)
    for place in places:
        letters[place] = data.draw(st.sampled_from([each for each in ALPHABET if each != code[place]]))
    assert not is_valid("".join(letters))


@given(references, st.integers(2, 9))
def test_two_swapped_neighbours_are_noticed(code: str, place: int) -> None:
    assume(code[place] != code[place + 1])
    assert not is_valid(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


@given(references, st.integers(2, 10), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_located(code: str, place: int, letter: str) -> None:
    assume(letter != code[place])
    wrong = code[:place] + letter + code[place + 1 :]
    # As a substitution there is one answer only; the others are lost or added characters.
    bodies: list[bytes] = []
    reference._add_one_wrong(bodies, reference._values(wrong[2:]))
    assert [reference._letters(body) for body in bodies if reference._fits(body, 0)] == [code[2:]]


@pytest.mark.parametrize("size", [1, 2, 29, 841, 843, 29**3])
def test_the_shuffle_is_one_to_one(size: int) -> None:
    shuffled = [reference._permute(number, KEY, size) for number in range(size)]
    assert sorted(shuffled) == list(range(size))
    if size > 29:
        assert shuffled != sorted(shuffled)


def test_references_of_a_sequence_never_meet_and_do_not_follow_each_other() -> None:
    codes = [reference.reference_for(number, KEY) for number in range(5_000)]
    assert len(set(codes)) == len(codes)
    assert all(is_valid(code) for code in codes)
    # Neighbours differ nearly everywhere: of 7 data characters, about 7/29 agree by chance.
    agreeing = sum(
        one == other for a, b in itertools.pairwise(codes) for one, other in zip(a[2:9], b[2:9], strict=True)
    )
    assert 0.02 < agreeing / (7 * 5_000) < 0.05


def test_another_key_gives_other_references() -> None:
    assert reference.reference_for(1, KEY) != reference.reference_for(1, KEY[::-1])
    # Written down once: a change here would give out references again that are already on paper.
    assert reference.reference_for(0, KEY) == "FW6HVRVEJ22"
    assert reference.reference_for(HOW_MANY - 1, KEY) == "FWM33C7DASE"


@pytest.mark.parametrize("number", [-1, HOW_MANY])
def test_numbers_outside_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="references exist"):
        reference.reference_for(number, KEY)


@pytest.mark.parametrize("key", [b"", b"x" * 15, b"x" * 65])
def test_a_weak_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="16 to 64"):
        reference.reference_for(1, key)


def test_a_random_reference_asks_for_the_whole_range() -> None:
    asked = []

    def below(count: int) -> int:
        asked.append(count)
        return 0

    assert random_reference(below) == make("2222222")
    assert asked == [HOW_MANY]
    assert random_reference(lambda count: count - 1) == make("ZZZZZZZ")


@pytest.mark.parametrize(
    ("memo", "folded"),
    [
        ("", ""),
        ("Học phí Đặng Thị Ngỗ, lớp 3/A", "HOCPHIDANGTHINGOLOP3A"),
        ("đĐ ₫", "DD"),
        ("Nguye\u0302\u0303n", "NGUYEN"),
        ("a\x00b\ud800c\U0001f600", "ABC"),
        ("１２３", ""),
        ("FW-2345_678.CY", "FW2345678CY"),
    ],
)
def test_folding(memo: str, folded: str) -> None:
    assert fold_memo(memo) == folded


@given(st.text())
def test_folding_keeps_capitals_and_digits_only_and_is_stable(memo: str) -> None:
    folded = fold_memo(memo)
    assert set(folded) <= set(LETTERS)
    assert fold_memo(folded) == folded
    assert fold_memo(memo + "đ").removesuffix("D") == folded


@pytest.mark.parametrize("shape", SHAPES)
@given(code=references)
@settings(max_examples=5)
def test_every_shape_of_bank_memo_keeps_the_reference(shape: str, code: str) -> None:
    memo = shape.replace("{code}", code)
    cut = " ".join(memo[at : at + 35] for at in range(0, len(memo), 35))
    for text in (memo, memo.lower(), cut, cut[:140], memo.replace(".", " ").replace("-", "")):
        assert find(text).exact == (code,), text


@given(quiet, references, quiet, st.integers(1, 40), st.sampled_from([" ", "  ", ".", "-", "\n"]))
def test_breaks_anywhere_do_no_harm(before: str, code: str, after: str, every: int, joint: str) -> None:
    memo = before + code + after
    broken = joint.join(memo[at : at + every] for at in range(0, len(memo), every))
    assert find(broken).exact == (code,)


@given(quiet, edited(), quiet)
@example("", ("FW2345678CY", "W2345678CY"), "")
@example("", ("FW2345678CY", "F2345678CY"), "")
@example("", ("FW2345678CY", "WF2345678CY"), "")
@example("", ("FW2345678CY", "F2W345678CY"), "")
@example("", ("FW2345678CY", "FOW2345678CY"), "")
@example("", ("FW2345678CY", "FW2345678C"), "")
@example("", ("FW2345678CY", "FWW2345678CY"), "")
def test_every_single_mistake_is_suggested(before: str, pair: tuple[str, str], after: str) -> None:
    code, slip = pair
    found = find(before + slip + after)
    # What follows a lost last character may by chance complete another reference; then nothing overlaps it.
    assert code in found.corrected or found.exact


@given(st.lists(st.one_of(references, edited().map(lambda pair: pair[1]), st.text("FW23AZ0O", max_size=6)), max_size=4))
@settings(max_examples=60, deadline=None)
def test_finding_agrees_with_trying_everything(parts: list[str]) -> None:
    text = "".join(parts)
    exact, corrected = slow_find(text)
    found = find(text)
    assert list(found.exact) == exact
    if len(corrected) <= 20:
        assert set(found.corrected) == set(corrected)
    places = [corrected[code] for code in found.corrected]
    assert places == sorted(places)


def test_each_reference_is_named_once_by_position() -> None:
    first, second = make("ABCDEGH"), make("2345678")
    assert find(f"{first} {second} {first.lower()}") == ((first, second), ())


def test_a_mistake_beside_its_own_exact_reference_is_not_repeated() -> None:
    code = make("2345678")
    assert find(f"{code} cu {code[:-1]}") == ((code,), ())


def test_a_corrected_one_never_overlaps_an_exact_one() -> None:
    code = make("2345678")
    # "FW" and eight characters before, the ninth belongs to the exact one.
    other = make("ABCDEGH")
    assert find(other[:9] + code).exact == (code,)
    assert other not in find(other[:9] + code).corrected
    assert other in find(other[:10] + code).corrected


def test_corrections_stop_at_twenty() -> None:
    numbers = random.Random(7)  # noqa: S311  test data
    slips = []
    for _ in range(40):
        code = random_reference(numbers.randrange)
        slips.append(code[:5] + "0" + code[6:])
    found = find(" ".join(slips))
    assert len(found.corrected) == 20
    assert found.exact == ()


@pytest.mark.parametrize(
    "memo",
    [
        "",
        "\x00",
        "\ud800\udfff",
        "FW",
        "FW" * 40,
        "F" * 200,
        "W" * 200,
        "FW0OIL10OIL",
        "😀" * 50,
        "ＦＷ２３４５６７８ＣＹ",
    ],
)
def test_hostile_memos_hold_nothing(memo: str) -> None:
    assert find(memo) == ((), ())


def test_a_memo_of_a_megabyte_is_read() -> None:
    code = make("2345678")
    for filler in ("x", "FW", "F2", "FW2345678", "ế"):
        assert code in find(filler * (1_000_000 // len(filler)) + " 0" + code).exact


@settings(max_examples=300)
@given(st.lists(st.one_of(references, references.map(str.lower), quiet, st.text(max_size=12)), max_size=6))
def test_only_what_is_exact_is_the_same_by_the_short_way(pieces: list[str]) -> None:
    memo = "".join(pieces)
    assert reference.exact(memo) == find(memo).exact
