"""Cards are changed with an eye on the bills: no month is billed twice, and none falls between two rounds."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime

import pytest
from openpyxl import load_workbook

from billing.cards.entering import Entered, NewCard
from billing.cards.reading import live_cards
from billing.errors import BadRows, Conflict
from billing.insurance.card_sheet import export_cards
from billing.insurance.changing import issued_months, next_open
from billing.insurance.doubling import OtherCard, show_other_card
from billing.rounds.correcting import propose_void, reject_correction
from billing.vault import Vault
from service.database import Database
from tests.billing.insurance.insurance_world import FAMILY, NUMBER, Insuring, make_insuring
from tests.billing.insurance.test_card_sheet import bring, sheet
from tests.factories.schools import SCHOOL_YEAR
from tests.standing import standing

SEPTEMBER_30 = date(2025, 9, 30)
OCTOBER, NOVEMBER = date(2025, 10, 1), date(2025, 11, 1)


@pytest.fixture
@standing
def billed(database: Database, vault: Vault, now: datetime) -> Insuring:
    """The first child has bought October to December in October's round; of the two others nothing was known then."""
    insuring = make_insuring(database, vault, now)
    with insuring.open() as session:
        insuring.enter(session, insuring.buys(0, card_end=SEPTEMBER_30))
        insuring.bill_month(session, 10)
    return insuring


def test_a_billed_card_is_neither_billed_again_nor_let_go(billed: Insuring) -> None:
    card = billed.buys(0, card_end=SEPTEMBER_30)
    again = replace(card, collected_in=NOVEMBER)
    with billed.open() as session:
        line = billed.line(session, 10)
        assert line is not None
        [bought] = [each for each in billed.draft(session).unpaid if each.line_id == line.id]
        holds = rf"{bought.number} đã thu BHYT tháng 10/2025 của em Nguyễn Văn 1\. Hãy thu hồi .* trùng thẻ"
        for changed in (again, replace(card, card_end=date(2025, 10, 31)), NewCard(card.pupil_id, 2025, "military")):
            with pytest.raises(Conflict, match=holds):
                billed.enter(session, changed)
        # What changes no month may be said: the card's number, and that the rest is bought three months at a time.
        assert billed.enter(session, replace(card, number=NUMBER)) == Entered(changed=1)
        assert billed.enter(session, replace(card, at_a_time=3)) == Entered(changed=1)
        billed.enter(session, billed.buys(1, card_end=SEPTEMBER_30, collected_in=NOVEMBER))
        billed.bill_month(session, 11)
        late = billed.line(session, 11, 1)
        assert billed.line(session, 11) is None
        assert late is not None
        assert (line.quantity, late.quantity) == (3, 3)
        assert billed.tie(session).unpaid == 6 * FAMILY


def test_a_month_that_is_issued_is_refused_and_the_next_one_named(billed: Insuring) -> None:
    school = billed.school
    with billed.open() as session:
        with pytest.raises(Conflict, match=r"10/2025 của em Nguyễn Văn 2 đã phát hành\. Hãy .* từ tháng 11/2025"):
            billed.enter(session, billed.buys(1, card_end=SEPTEMBER_30))
        billed.bill_month(session, 12)
        with pytest.raises(Conflict, match=r"12/2025 .* đã phát hành\. .* không còn tháng nào của năm 2025"):
            billed.enter(session, billed.buys(1, collected_in=date(2025, 12, 1)))
        assert live_cards(session, school.id, 2025, [school.pupil(1)]) == {}
        assert issued_months(session, school.id, {school.pupil(1)}) == {OCTOBER, date(2025, 12, 1)}
        assert next_open({OCTOBER, NOVEMBER}, date(2025, 10, 17)) == date(2025, 12, 1)
        billed.enter(session, billed.buys(1, card_end=SEPTEMBER_30, collected_in=NOVEMBER))


def test_a_bill_that_was_taken_back_sets_the_card_free(billed: Insuring) -> None:
    school, accountant = billed.school, billed.school.billing.accountant
    with billed.open() as session:
        bill = school.bill(session, 10)
        asked = propose_void(session, accountant, bill.bill_id, "Sai tháng thu BHYT", school.now)
    with billed.open() as session:
        billed.approve(session, asked.id)
        assert issued_months(session, school.id, {school.pupil(0)}) == set()
        later = billed.buys(0, card_end=SEPTEMBER_30, collected_in=NOVEMBER)
        assert billed.enter(session, later) == Entered(changed=1)
        billed.bill_month(session, 11)
        line = billed.line(session, 11)
        assert line is not None
        assert billed.tie(session).unpaid == line.family_share == 3 * FAMILY


def test_after_double_cover_only_what_was_given_back_is_bought_again(billed: Insuring) -> None:
    school, accountant = billed.school, billed.school.billing.accountant
    shown = OtherCard(school.pupil(), 2025, date(2025, 12, 1), "military")
    card = billed.buys(0, card_end=SEPTEMBER_30)
    with billed.open() as session:
        [refused] = show_other_card(session, school.vault, accountant, school.id, shown, school.now)
        assert refused.correction_id is not None
        reject_correction(session, refused.correction_id, school.billing.approver, school.now, "Thẻ không hợp lệ")
    with billed.open() as session:
        with pytest.raises(Conflict, match="đã thu BHYT tháng 10/2025"):
            billed.enter(session, replace(card, collected_in=NOVEMBER))
        assert billed.enter(session, card) == Entered(changed=1)  # as it was: its months stand on the bill
    with billed.open() as session:
        [double] = show_other_card(session, school.vault, accountant, school.id, shown, school.now)
        assert double.correction_id is not None
        billed.approve(session, double.correction_id)
    with billed.open() as session:
        december = replace(card, card_end=date(2025, 11, 30))
        with pytest.raises(Conflict, match=r"10/2025 .* đã phát hành"):
            billed.enter(session, december)
        billed.enter(session, replace(december, collected_in=NOVEMBER))
        billed.bill_month(session, 11)
        line = billed.line(session, 11)
        assert line is not None
        assert line.quantity == 1


def test_a_sheet_is_refused_line_by_line_and_proposes_the_next_month(billed: Insuring) -> None:
    rows = sheet(
        (None, "Nguyễn Văn 1", "1A", 2025, "Trường", None, "30/09/2025", None, "11/2025"),
        (None, "Nguyễn Văn 2", "1A", 2025, "Trường", None, "30/09/2025", None, "10/2025"),
        (None, "Nguyễn Văn 3", "1A", 2025, "Trường", None, "30/09/2025", None, "11/2025"),
    )
    with pytest.raises(BadRows) as refused:
        bring(billed, rows)
    assert [(each.line, each.remedy[:8]) for each in refused.value.problems] == [(2, "Hãy thu "), (3, "Hãy chọn")]
    with billed.open() as session:
        out = load_workbook(io.BytesIO(export_cards(session, billed.school.billing.school, SCHOOL_YEAR))).active
        assert out is not None
        assert [row[-1] for row in out.iter_rows(min_row=2, values_only=True)] == ["10/2025", "11/2025", "11/2025"]
