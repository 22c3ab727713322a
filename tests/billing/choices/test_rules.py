"""Days and words of choices, over any days, prices and texts."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from billing.choices.days import first_day_for, last_day_for, refusals_since
from billing.choices.wording import Offered, Statement, default_words, end_words, register_words, withdraw_words
from billing.fees.explaining import Language
from billing.fees.items import Unit
from billing.money import Money

days = st.dates(date(2024, 1, 1), date(2030, 12, 31))
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=60)
languages: st.SearchStrategy[Language] = st.sampled_from(("vi", "en"))
offers = st.builds(
    Offered,
    words,
    st.integers(1, 10**9).map(Money),
    st.sampled_from(Unit),
    st.integers(1, 30),
    days,
    days,
    words,
    words,
)


@given(days, days)
def test_a_yes_never_reaches_back_and_never_begins_in_a_month_that_runs_unless_offered_so(
    offered: date, today: date
) -> None:
    first = first_day_for(offered, today)
    assert first >= today
    assert first >= offered
    assert first == offered or (first.day == 1 and first - today <= timedelta(days=31))


@given(days, st.none() | days)
def test_a_no_leaves_whole_months_and_all_that_is_billed(today: date, billed: date | None) -> None:
    last = last_day_for(today, billed)
    assert (last + timedelta(days=1)).day == 1
    assert last >= today
    assert billed is None or last >= billed
    months = {(day.year, day.month) for day in (today, billed) if day is not None}
    assert (last.year, last.month) == max(months)


@given(days)
def test_refusals_are_shown_for_a_month_and_a_little_more(today: date) -> None:
    assert timedelta(days=28) <= today - refusals_since(today) <= timedelta(days=61)


@given(offers, languages)
def test_a_statement_holds_everything_and_its_digest_is_of_its_words(offered: Offered, language: Language) -> None:
    said = register_words(offered, language)
    assert said.digest == sha256(said.text.encode()).digest()
    assert said.text == unicodedata.normalize("NFC", said.text)
    for each in (str(offered.price), f"{offered.first_day:%d/%m/%Y}", f"{offered.closes_on:%d/%m/%Y}"):
        assert each in said.text
    for free in (offered.name, offered.purpose, offered.decision):
        assert " ".join(unicodedata.normalize("NFC", free).split()) in said.text
    assert "\n" not in "".join(said.lines)


@given(offers, languages, st.integers(1, 10**6))
def test_another_price_or_day_is_another_statement(offered: Offered, language: Language, more: int) -> None:
    dearer = Offered(
        offered.name, offered.price + Money(more), offered.unit, offered.count, offered.first_day, offered.closes_on,
        offered.purpose, offered.decision,
    )  # fmt: skip
    later = Offered(
        offered.name, offered.price, offered.unit, offered.count, offered.first_day + timedelta(days=more % 300 + 1),
        offered.closes_on, offered.purpose, offered.decision,
    )  # fmt: skip
    digests = {register_words(each, language).digest for each in (offered, dearer, later)}
    assert len(digests) == 3


@given(words, days, languages)
def test_an_end_names_item_and_day_and_is_no_withdrawal(name: str, day: date, language: Language) -> None:
    ended, withdrawn = end_words(name, day, language), withdraw_words(name, day, language)
    for each in (ended, withdrawn):
        assert f"{day:%d/%m/%Y}" in each.text
    assert ended.digest != withdrawn.digest


@given(words, words | st.just(""))
def test_the_words_to_start_from_name_the_item(name: str, purpose: str) -> None:
    assert default_words(name, purpose).startswith(name)
    assert default_words(name, purpose).endswith(".")


def test_lines_are_told_apart() -> None:
    assert Statement(("a", "b")).digest != Statement(("ab",)).digest
