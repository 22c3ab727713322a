"""Names are looked for by their letters; what known names are sought by finds just these of all runs of words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciliation.memo import Memo
from reconciliation.names import Names, name_key, names_among, names_in

NAMES = ("NGUYENVANAN", "NGUYENVANANH", "NGUYENTHIAN", "LETHIBINH", "DIEUKRE", "A" * 40)
words = st.sampled_from(
    ["NGUYEN", "Nguyễn", "VAN", "van", "AN", "ANH", "THI", "LE", "Bình", "Điểu K'Rể", "3A", "-", "x²"]
)
memos = st.lists(st.one_of(words, st.text(max_size=6)), max_size=12).flatmap(
    lambda parts: st.sampled_from([" ", "", ".", "A" * 20]).map(lambda by: by.join(parts))
)


def test_a_full_name_is_looked_for_by_its_letters_and_a_number_is_no_name() -> None:
    assert name_key("Nguyễn Thị Ngọc Ánh") == "NGUYENTHINGOCANH"
    assert name_key("Điểu K'Rể") == "DIEUKRE"
    for none in ("", "Ánh", "pupil 1", "hs-0001", "p17", "Vũ Y", "A" * 50):
        assert name_key(none) == ""


@given(memos, st.sets(st.sampled_from(NAMES)))
def test_no_known_name_is_passed_over_and_what_is_found_is_a_run_of_words(memo: str, known: set[str]) -> None:
    everything = names_in(Memo(memo))
    found = names_among(Memo(memo), Names(known))

    assert [run for run in found if run in known] == [run for run in everything if run in known]
    assert {run[:6] for run in found} <= {name[:6] for name in known}, "only what begins as a name"
    assert {len(run) for run in found} <= {len(name) for name in known}


def test_a_run_ends_at_seven_words_a_digit_and_forty_letters() -> None:
    assert names_in(Memo("a b c d e f g h"))[:2] == ["ABCDEF", "ABCDEFG"]
    assert names_in(Memo("nguyen van 3 an")) == ["NGUYEN", "NGUYENVAN"]
    assert names_in(Memo("a" * 41)) == []
    assert names_in(Memo("a" * 40)) == ["A" * 40]
