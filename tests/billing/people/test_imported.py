"""Two spellings of one name are one key, two names never; faults come in the order of the lines."""

import unicodedata

import pytest

from billing.errors import BadRows, RowProblem
from billing.people.imported import name_key, refuse


@pytest.mark.parametrize(
    ("one", "other"),
    [("Trần Hoà", "Trần Hòa"), ("LÊ THỊ THUÝ", "Lê Thị Thúy"), ("Điểu  K'Rể", "điểu k'rể "), ("Lường", "Lường")],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) == name_key(unicodedata.normalize("NFD", other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hòa", "Hóa"),
        ("Hòa", "Hoa"),
        ("Đan", "Dan"),
        ("Ân", "An"),
        ("Tư", "Tu"),
        ("Thị Hà", "Thì Ha"),
        ("A Bé", "Ab É"),
    ],
)
def test_other_names_stay_other(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_faults_are_told_in_order_and_none_is_no_refusal() -> None:
    refuse([])
    with pytest.raises(BadRows) as refused:
        refuse([RowProblem(9, "b", "r", "s"), RowProblem(2, "a", "r", "s"), RowProblem(9, "a", "r", "s")])

    assert [(each.line, each.column) for each in refused.value.problems] == [(2, "a"), (9, "b"), (9, "a")]
    assert "3 chỗ" in refused.value.message
    assert "2 dòng" in refused.value.message
