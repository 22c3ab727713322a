"""A registration as typed: read with care, and agreed to in words that stood there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.people.contact_sheet import Relation
from service.access.consent_texts import CURRENT, NOTICES, VERSIONS
from service.access.registration_forms import Draft, read_draft, relation_word

NOW = CURRENT[NOTICES].version
# Words that people have agreed to never change: a new wording is a new version beside the old one.
FIRST = ("2025-10", "f7bb891e393f7dfc7263f1c297df6d5332c66c53895a235bb6bf493684282ef3")


def test_a_filled_in_form_becomes_a_draft() -> None:
    draft = read_draft("Trần  Thị Hồng", "mother", " 0987 654 321 ", NOW)
    assert draft == Draft("Trần Thị Hồng", Relation.MOTHER, "phone", "84987654321", NOW)
    assert read_draft("Lê An", "father", "An.Le@Example.com", NOW).contact == "an.le@example.com"


@pytest.mark.parametrize(
    ("name", "relation", "contact", "agreed_to", "said"),
    [
        ("", "mother", "0987654321", NOW, "Chưa ghi họ tên"),
        ("   ", "mother", "0987654321", NOW, "Chưa ghi họ tên"),
        ("Trần 007", "mother", "0987654321", NOW, "ký tự không dùng trong tên"),
        ("<b>Trần</b>", "mother", "0987654321", NOW, "ký tự không dùng trong tên"),
        ("Trần Thị Hồng", "", "0987654321", NOW, "Chưa chọn quan hệ"),
        ("Trần Thị Hồng", "admin", "0987654321", NOW, "Chưa chọn quan hệ"),
        ("Trần Thị Hồng", "mother", "", NOW, "Chưa ghi số điện thoại"),
        ("Trần Thị Hồng", "mother", "0271 3870 123", NOW, "số máy bàn"),
        ("Trần Thị Hồng", "mother", "0987654321, 0912345678", NOW, "nhiều số điện thoại"),
        ("Trần Thị Hồng", "mother", "a@b@c.vn", NOW, "e-mail"),
        ("Trần Thị Hồng", "mother", "a@b.vn\nbcc: x@y.vn", NOW, "e-mail"),
        ("Trần Thị Hồng", "mother", "0987654321", "", "Chưa đánh dấu đồng ý"),
        ("Trần Thị Hồng", "mother", "0987654321", "1", "vừa được sửa"),
        ("Trần Thị Hồng", "mother", "0987654321", "2024-01", "vừa được sửa"),
    ],
)
def test_what_is_wrong_is_said(name: str, relation: str, contact: str, agreed_to: str, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        read_draft(name, relation, contact, agreed_to)
    assert refused.value.message.count(".") >= 2  # what is wrong, and what to do


@given(st.text(max_size=40), st.sampled_from([*Relation]), st.text(max_size=30), st.text(max_size=10))
def test_whatever_is_typed_becomes_a_draft_or_a_sentence(
    name: str, relation: Relation, contact: str, agreed_to: str
) -> None:
    try:
        draft = read_draft(name, relation, contact, agreed_to)
    except Refused:
        return
    assert draft.agreed_to == NOW
    assert Draft.from_json(draft.to_json()) == draft


@given(st.text(), st.sampled_from([*Relation]), st.sampled_from(["phone", "email"]), st.text())
def test_a_sealed_draft_is_read_as_it_was(name: str, relation: Relation, kind: str, contact: str) -> None:
    draft = Draft(name, relation, kind, contact, NOW)
    assert Draft.from_json(draft.to_json()) == draft


def test_relations_are_words() -> None:
    assert relation_word("mother") == "mẹ"
    assert relation_word("cha nuôi") == "cha nuôi"


def test_the_words_of_a_version_never_change() -> None:
    version, digest = FIRST
    assert VERSIONS[version].digest().hex() == digest
    assert CURRENT[NOTICES] in VERSIONS.values()
    assert all(version == each.version for version, each in VERSIONS.items())


def test_the_consent_says_what_the_law_wants_known() -> None:
    """Law 91/2025/QH15: purpose, who keeps it, how long, one's rights, how to take it back, and that no is allowed."""
    words = " ".join(vietnamese for vietnamese, _ in CURRENT[NOTICES].points)
    for wanted in ("Mục đích", "Ai giữ", "Thời gian", "rút lại", "xem, sửa, xóa", "Không đăng ký thì", "2 ngày"):
        assert wanted in words
    assert CURRENT[NOTICES].agree[0].startswith("Tôi đồng ý")
    assert all(english and vietnamese != english for vietnamese, english in CURRENT[NOTICES].points)
