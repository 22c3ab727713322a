"""The e-mails: what they must say, and what they must not."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.events.going_back import BY_BANK, BY_CARD_DISPUTE, BY_CARD_FAILED, BY_CARD_REFUND, BY_CARD_UNBOOKED
from billing.money import ZERO, Money
from billing.people.names import clean_text
from notifications.rules import Kind
from notifications.wording.facts import Line, NoticeFacts
from notifications.wording.letters import LetterText, letter, notice_letter, receipt_letter
from notifications.wording.plain import Language
from tests.notifications.examples import LINK, a_notice, a_receipt, gone_back

LANGUAGES: tuple[Language, ...] = ("vi", "en")


def both_forms(letter: LetterText) -> tuple[str, str]:
    return letter.text, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", letter.html))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_says_all_that_is_needed(language: Language) -> None:
    letter = notice_letter(a_notice(), "Trần Thị Hồng", language)
    for form in both_forms(letter):
        for needed in (
            "Trần Thị Hồng", "N. T. M. Anh", "3A", "tháng 9/2025", "Tiền ăn bán trú", "616.000 đ", "22 ngày × 28.000 đ",
            "15.000 đ", "28.000 đ", "603.000 đ", "15/09/2025", "Agribank", "5600201012345", "FWAB3CD4EF5",
            "02713 880 112", "0 đ",
        ):  # fmt: skip
            assert needed in form
    assert LINK in letter.text
    assert f'href="{LINK}"' in letter.html
    assert f'lang="{language}"' in letter.html


def test_a_vietnamese_notice_word_for_word() -> None:
    letter = notice_letter(a_notice(), "Trần Thị Hồng")
    assert letter.subject == "Trường Tiểu học Đồng Tâm: thông báo thu tháng 9/2025 của học sinh N. T. M. Anh"
    assert (
        "- Đã trừ tiền tồn: 28.000 đ\nPhí: 0 đ\n\nCÒN PHẢI NỘP: 603.000 đ\nHạn nộp: Thứ Hai, 15/09/2025\n"
        in letter.text
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_says_all_that_is_needed(language: Language) -> None:
    letter = receipt_letter(a_receipt(), "", language)
    for form in both_forms(letter):
        for needed in ("500.000 đ", "N. T. M. Anh", "BL-2025-000123", "07/09/2025", "485.000 đ", "103.000 đ", "0 đ"):
            assert needed in form
    assert LINK in letter.text


def test_what_is_left_is_not_yet_paid_and_never_a_debt() -> None:
    letter = receipt_letter(a_receipt(), "")
    assert "Còn chưa nộp: 103.000 đ" in letter.text
    assert letter.text.startswith("Kính gửi Phụ huynh,")
    done = receipt_letter(a_receipt(remaining=ZERO), "")
    assert "Đã nộp đủ." in done.text
    assert "chưa nộp" not in done.text + done.html


def test_money_beyond_what_was_due_is_explained() -> None:
    letter = receipt_letter(a_receipt(amount=Money(550_000), credit=Money(50_000), remaining=ZERO), "")
    assert "Tiền nộp thừa: 50.000 đ. Nhà trường sẽ liên hệ" in letter.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_holds_the_full_name_or_the_word_debt(language: Language) -> None:
    for written in (notice_letter(a_notice(), "", language), receipt_letter(a_receipt(), "", language)):
        everything = written.subject + written.text + written.html
        assert "Nguyễn" not in everything
        assert not re.search(r"\bnợ\b|\bdebt\b|hóa đơn|hết hạn", everything, re.IGNORECASE)
        assert "http" not in everything.replace(LINK, "")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("by", [BY_BANK, BY_CARD_REFUND, BY_CARD_DISPUTE])
def test_money_that_went_back_is_told_with_who_took_it_and_what_is_to_be_paid(by: str, language: Language) -> None:
    told = letter(Kind.PAYMENT_TAKEN_BACK, gone_back(by), "Trần Thị Hồng", language)
    for form in both_forms(told):
        for needed in ("150.000 đ", "N. T. M. Anh", "TB-2025-000123", "15/09/2025", "02713 880 112"):
            assert needed in form
        assert ("thẻ" in form or "card" in form) == (by != BY_BANK)
    assert ("thẻ" in told.subject or "card" in told.subject) == (by != BY_BANK)
    everything = told.subject + told.text + told.html
    assert "Nguyễn" not in everything
    assert not re.search(r"\bnợ\b|\bdebt\b|hóa đơn|hết hạn", everything, re.IGNORECASE)
    nothing = letter(Kind.PAYMENT_TAKEN_BACK, gone_back(by, asked=None), "", language)
    assert ("không còn khoản nào phải nộp" if language == "vi" else "Nothing is left to pay") in nothing.text


def test_a_disputed_payment_counts_as_not_paid_and_is_no_reproach() -> None:
    told = letter(Kind.PAYMENT_TAKEN_BACK, gone_back(BY_CARD_DISPUTE), "")
    assert "hiện được ghi là chưa nộp" in told.text
    assert "Nếu có nhầm lẫn, xin gọi nhà trường trước khi nộp lại." in told.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("by", [BY_CARD_FAILED, BY_CARD_UNBOOKED])
def test_a_card_page_that_came_to_nothing_is_told_with_why_and_what_is_to_be_paid(by: str, language: Language) -> None:
    told = letter(Kind.CARD_UNPAID, gone_back(by), "Trần Thị Hồng", language)
    for form in both_forms(told):
        for needed in ("150.000 đ", "N. T. M. Anh", "TB-2025-000123", "15/09/2025", "02713 880 112"):
            assert needed in form
        assert ("hoàn hết về thẻ" in form or "given back to the card" in form) == (by == BY_CARD_UNBOOKED)
    assert "thẻ" in told.subject or "card" in told.subject
    everything = told.subject + told.text + told.html
    assert "Nguyễn" not in everything
    assert not re.search(r"\bnợ\b|\bdebt\b|hóa đơn|hết hạn|biên lai", everything, re.IGNORECASE)
    nothing = letter(Kind.CARD_UNPAID, gone_back(by, asked=None), "", language)
    assert ("không còn khoản nào phải nộp" if language == "vi" else "Nothing is left to pay") in nothing.text


@given(st.text(max_size=40), st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_no_text_becomes_mark_up_or_a_second_line(guardian: str, label: str, period: str) -> None:
    facts = a_notice(lines=(Line(label, Money(631_000), label),), period=period)
    letter = notice_letter(facts, guardian)
    bare = notice_letter(a_notice(lines=(Line("x", Money(631_000)),), period="p"), "g")
    assert len(letter.subject.splitlines()) == 1
    tags = len(re.findall("[<>]", letter.html))
    extra = len(re.findall("[<>]", "<br><span></span>")) if clean_text(label) else 0
    assert tags == len(re.findall("[<>]", bare.html)) + extra
    assert unicodedata.is_normalized("NFC", letter.subject)


def test_sums_that_do_not_add_up_are_never_written() -> None:
    with pytest.raises(ValueError, match="not what is due"):
        a_notice(due=Money(603_001))
    with pytest.raises(ValueError, match="not what was received"):
        a_receipt(credit=Money(1))


@pytest.mark.parametrize("link", ["javascript:alert(1)", "", "https://a.vn/ b", "data:text/html,x"])
def test_only_web_addresses_are_links(link: str) -> None:
    with pytest.raises(ValueError, match="link"):
        a_notice(link=link)


def test_facts_without_leftover_do_not_mention_it() -> None:
    facts: NoticeFacts = a_notice(leftover=ZERO, due=Money(631_000))
    assert "tiền tồn" not in notice_letter(facts, "").text
