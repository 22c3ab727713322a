"""The message with a code: the code, the school, what for and how long; no child, no sum, no link."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.errors import UnfitText
from notifications.wording.codes import CodeFacts, code_letter, code_params, code_template
from notifications.wording.facts import SchoolInWords
from notifications.wording.plain import Language
from notifications.wording.zns import LIMITS

FACTS = CodeFacts(SchoolInWords("Trường Tiểu học Hoa Mai", "0271 3000 001"), "040506", "explain", 10)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_letter_says_all_that_is_needed(language: Language) -> None:
    letter = code_letter(FACTS, language)
    for words in (letter.text, letter.html):
        for wanted in ("040506", "10", "0271 3000 001"):
            assert wanted in words
        assert "http" not in words.replace("http://www.w3.org", "")
    assert "040506" in letter.subject
    assert "Trường Tiểu học Hoa Mai" in letter.subject
    for purpose in ("explain", "register", "agree"):
        assert "nợ" not in code_letter(replace(FACTS, purpose=purpose), language).text


def test_the_words_say_to_tell_it_to_nobody() -> None:
    assert "Không đọc mã này cho bất kỳ ai" in code_letter(FACTS).text
    assert any("Không đọc mã này cho bất kỳ ai" in text for text in code_template("vi").paragraphs)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_template_is_within_zalos_limits_and_filled_with_just_its_parameters(language: Language) -> None:
    form = code_template(language)
    params = code_params(FACTS, language)
    assert params.keys() == form.params().keys()
    assert params["otp"] == "040506"
    assert 9 <= len(form.title) <= 65
    assert all(9 <= len(text) <= 400 for text in form.paragraphs)
    assert 2 <= len(form.rows) <= 8
    assert form.button == ("", "")


@given(st.text(min_size=1, max_size=300))
def test_no_schools_name_breaks_the_message(name: str) -> None:
    facts = replace(FACTS, school=SchoolInWords(name, "0271 3000 001"))
    assert len(code_params(facts)["school_name"]) <= LIMITS["school_name"]
    letter = code_letter(facts)
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert "040506" in letter.text


@pytest.mark.parametrize("code", ["", "12345a", "1" * 20, "12 345"])
def test_what_is_no_code_is_not_sent(code: str) -> None:
    with pytest.raises(UnfitText):
        code_params(replace(FACTS, code=code))


def test_what_a_program_shows_of_it_holds_no_code() -> None:
    assert "040506" not in repr(FACTS)
