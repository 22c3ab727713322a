"""Zalo's templates: within Zalo's limits, and filled with what fits."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.events.going_back import BY_BANK, BY_CARD_DISPUTE, BY_CARD_FAILED, BY_CARD_REFUND, BY_CARD_UNBOOKED
from billing.money import ZERO, Money
from notifications.errors import UnfitText
from notifications.rules import Kind
from notifications.wording.facts import SchoolInWords
from notifications.wording.plain import Language, safe
from notifications.wording.zns import LIMITS, ZnsTemplate, notice_params, receipt_params, template, zns_params
from tests.notifications.examples import LINK, a_notice, a_receipt, gone_back

ALL: list[tuple[Kind, Language]] = [(kind, language) for kind in Kind for language in ("vi", "en")]


def filled(form: ZnsTemplate, values: Mapping[str, str]) -> str:
    text = "".join([form.title, *form.paragraphs, *(label + value for label, value in form.rows), form.button[0]])
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_our_templates_are_within_zalos_limits(kind: Kind, language: Language) -> None:
    form = template(kind, language)
    assert 9 <= len(form.title) <= 65
    assert form.title.count("<") <= 4
    assert all(9 <= len(text) <= 400 and text.count("<") <= 10 for text in form.paragraphs)
    assert 2 <= len(form.rows) <= 8
    assert all(3 <= len(label) <= 36 and 3 <= len(value) <= 90 for label, value in form.rows)
    assert form.button[1] == "<link_code>"
    longest = {name: "x" * limit for name, limit in form.params().items()}
    assert (
        len(form.title.replace("<period>", longest.get("period", "")).replace("<amount>", longest.get("amount", "")))
        <= 65
    )
    assert len(filled(form, longest)) <= 400


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_parameters_are_just_those_of_the_template(language: Language) -> None:
    assert notice_params(a_notice(), "", language).keys() == template(Kind.BILL_ISSUED, language).params().keys()
    assert receipt_params(a_receipt(), "", language).keys() == template(Kind.PAYMENT_RECEIVED, language).params().keys()


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("by", [BY_BANK, BY_CARD_REFUND, BY_CARD_DISPUTE])
def test_money_that_went_back_says_who_took_it(by: str, language: Language) -> None:
    params = zns_params(Kind.PAYMENT_TAKEN_BACK, gone_back(by), "Trần Thị Hồng", language)
    assert params.keys() == template(Kind.PAYMENT_TAKEN_BACK, language).params().keys()
    assert (params["used"], params["amount"]) == ("150.000 đ", "150.000 đ")
    assert ("thẻ" in params["taken_by"] or "card" in params["taken_by"]) == (by != BY_BANK)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("by", [BY_CARD_FAILED, BY_CARD_UNBOOKED])
def test_a_card_page_that_came_to_nothing_says_why(by: str, language: Language) -> None:
    params = zns_params(Kind.CARD_UNPAID, gone_back(by), "Trần Thị Hồng", language)
    assert params.keys() == template(Kind.CARD_UNPAID, language).params().keys()
    assert (params["used"], params["amount"]) == ("150.000 đ", "150.000 đ")
    assert ("hoàn" in params["outcome"] or "given back" in params["outcome"]) == (by == BY_CARD_UNBOOKED)


def test_a_notice_in_parameters() -> None:
    assert notice_params(a_notice(), "Trần Thị Hồng") == {
        "customer_name": "Trần Thị Hồng",
        "student_name": "N. T. M. Anh",
        "school_class": "3A",
        "school_name": "Trường Tiểu học Đồng Tâm",
        "period": "tháng 9/2025",
        "amount": "603.000 đ",
        "whole": "603.000 đ",
        "due_date": "15/09/2025",
        "link_code": LINK.rpartition("/")[2],
    }


def test_a_receipt_in_parameters() -> None:
    params = receipt_params(a_receipt(remaining=ZERO), "")
    assert params["customer_name"] == "Phụ huynh"
    assert (params["amount"], params["remaining"], params["paid_date"]) == ("500.000 đ", "0 đ", "07/09/2025")


names = st.text(max_size=60)


@given(guardian=names, pupil=names, room=names, school=names, period=names)
def test_every_parameter_fits_or_is_refused(guardian: str, pupil: str, room: str, school: str, period: str) -> None:
    facts = a_notice(pupil=pupil, school_class=room, school=SchoolInWords(school, ""), period=period)
    if not all(safe(text) for text in (pupil, room, school, period)):
        with pytest.raises(UnfitText):
            notice_params(facts, guardian)
        return
    for name, value in notice_params(facts, guardian).items():
        assert 0 < len(value) <= LIMITS[name]
        assert not set(value) & set("<>\r\n")


def test_an_amount_or_a_number_is_never_cut() -> None:
    huge = Money(10**18)
    with pytest.raises(UnfitText):
        receipt_params(a_receipt(remaining=huge), "")
    with pytest.raises(UnfitText):
        receipt_params(a_receipt(number="BL-" + "0" * 30), "")
    with pytest.raises(UnfitText):
        notice_params(a_notice(link="https://truong.example/b/" + "x" * 31), "")
