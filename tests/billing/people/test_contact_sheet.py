"""The contact sheet: read equal, or every fault named; telephones in one form."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.people.cells import CellError
from billing.people.contact_sheet import RELATION_WORDS, ContactRow, Relation, phone_from
from tests.factories.rosters import CONTACT_HEADINGS, contact, problems, read_people, reason, sheet_file


def test_a_line_is_read_as_it_stands() -> None:
    assert read_people(sheet_file([contact()], CONTACT_HEADINGS, titles=2)) == [
        ContactRow(4, "7500123456", "Lê Thị Bình", Relation.MOTHER, "84500123456", "le.binh@example.com", notices=True)
    ]


@pytest.mark.parametrize(
    "written",
    [
        "0912345678",
        "912345678",
        "84912345678",
        "+84 912 345 678",
        "0084912345678",
        "0912.345.678",
        "(091) 234-5678",
        "091 2345678",
    ],
)
def test_a_mobile_number_has_one_form(written: str) -> None:
    assert phone_from(written) == "84912345678"


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("02713881234", "máy bàn"),
        ("01681234567", "2018"),
        ("0912345678/0987654321", "nhiều số"),
        ("0912345678, 0987654321", "nhiều số"),
        ("0912345678 - 0987654321", "nhiều số"),
        ("091234567", "không đúng"),
        ("09123456789", "không đúng"),
        ("0612345678", "không đúng"),
        ("9.12E+08", "không đúng"),
        ("zalo", "không đúng"),
        ("+1 650 555 0100", "không đúng"),
        ("٠٩١٢٣٤٥٦٧٨", "không đúng"),
    ],
)
def test_a_bad_telephone_is_refused_with_what_to_do(written: str, word: str) -> None:
    with pytest.raises(CellError) as refused:
        phone_from(written)
    assert word in refused.value.reason
    assert "10 chữ số" in refused.value.remedy


@given(
    st.from_regex(r"[35789][0-9]{8}", fullmatch=True),
    st.sampled_from(["0", "84", "+84", "0084", ""]),
    st.sampled_from(["", " ", ".", "-"]),
)
def test_every_mobile_number_in_every_dress(rest: str, start: str, gap: str) -> None:
    assert phone_from(f"{start}{gap}{rest[:3]}{gap}{rest[3:6]}{gap}{rest[6:]}") == "84" + rest


def test_a_telephone_stored_as_number_gets_its_zero_back() -> None:
    (row,) = read_people(sheet_file([contact(**{"Điện thoại": 912345678.0})], CONTACT_HEADINGS))
    assert row.phone == "84912345678"


FAULTS: list[tuple[str, object]] = [
    ("Mã định danh Bộ GD&ĐT", "7500999999"),
    ("Mã định danh Bộ GD&ĐT", None),
    ("Họ tên học sinh", "Nguyễn Thị Minh Ánh Tuyết"),
    ("Họ tên người liên hệ", None),
    ("Họ tên người liên hệ", "=A1"),
    ("Quan hệ", None),
    ("Quan hệ", "hàng xóm"),
    ("Điện thoại", "0271388"),
    ("Điện thoại", "=1"),
    ("E-mail", "không có"),
    ("E-mail", "a@b"),
    ("E-mail", "a..b@example.com"),
    ("E-mail", "hai@example.com; ba@example.com"),
    ("E-mail", "a@example.com\nBcc: b@example.com"),
    ("Nhận thông báo", None),
    ("Nhận thông báo", "có thể"),
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.sampled_from(FAULTS), min_size=1, max_size=10))
def test_every_planted_fault_is_named_once(plan: list[tuple[str, object] | None]) -> None:
    names = [f"Lê Thị {'B' * n}ình" for n in range(1, len(plan) + 1)]
    lines = [
        contact(**{"Họ tên người liên hệ": name, **dict([fault] if fault else [])})
        for name, fault in zip(names, plan, strict=True)
    ]
    expected = [(line, fault[0]) for line, fault in enumerate(plan, start=2) if fault]
    assert problems(sheet_file(lines, CONTACT_HEADINGS), read_people) == expected


@pytest.mark.parametrize(("heading", "value"), FAULTS)
def test_each_fault_by_itself(heading: str, value: object) -> None:
    assert problems(sheet_file([contact(**{heading: value})], CONTACT_HEADINGS), read_people) == [(2, heading)]


def test_a_code_with_another_childs_name_says_whose_it_is() -> None:
    told = reason(sheet_file([contact(**{"Họ tên học sinh": "Trần Văn Bé"})], CONTACT_HEADINGS), read_people)
    assert "Nguyễn Thị Minh Anh" in told
    assert "Trần Văn Bé" in told


def test_the_childs_name_may_be_left_out() -> None:
    headings = [name for name in CONTACT_HEADINGS if name != "Họ tên học sinh"]
    line = contact()
    del line[2]
    assert len(read_people(sheet_file([line], headings))) == 1


@pytest.mark.parametrize("heading", [name for name in CONTACT_HEADINGS if name not in ("STT", "Họ tên học sinh")])
def test_a_missing_column_is_named(heading: str) -> None:
    place = CONTACT_HEADINGS.index(heading)
    line = [value for spot, value in enumerate(contact()) if spot != place]
    data = sheet_file([line], [name for name in CONTACT_HEADINGS if name != heading])
    assert problems(data, read_people) == [(1, heading)]


def test_the_same_person_twice_for_a_child_is_refused() -> None:
    data = sheet_file([contact(), contact(**{"Điện thoại": "0500999999"})], CONTACT_HEADINGS)
    assert problems(data, read_people) == [(3, "Họ tên người liên hệ")]


def test_notices_need_a_way_to_reach_the_person() -> None:
    nowhere = {"Điện thoại": None, "E-mail": None}
    assert problems(sheet_file([contact(**nowhere)], CONTACT_HEADINGS), read_people) == [(2, "Nhận thông báo")]
    (row,) = read_people(sheet_file([contact(**nowhere, **{"Nhận thông báo": "Không"})], CONTACT_HEADINGS))
    assert (row.phone, row.email, row.notices) == (None, None, False)


@pytest.mark.parametrize(
    ("word", "relation"),
    [("Cha", "father"), ("ba", "father"), ("bà", "grandmother"), ("BÀ NGOẠI", "grandmother"), ("Bố", "father"),
     ("má", "mother"),
     ("ông", "grandfather"), ("Người giám hộ", "guardian"),
     ("dì", "relative")],
)  # fmt: skip
def test_relations_are_told_apart_by_their_marks(word: str, relation: str) -> None:
    (row,) = read_people(sheet_file([contact(**{"Quan hệ": word})], CONTACT_HEADINGS))
    assert row.relation == relation


def test_every_relation_can_be_shown_and_read_back() -> None:
    for relation, word in RELATION_WORDS.items():
        (row,) = read_people(sheet_file([contact(**{"Quan hệ": word})], CONTACT_HEADINGS))
        assert row.relation is relation
