"""Statements that follow each other leave no gap, in whatever pieces and order; what is left out is told."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import ZERO, Money, total
from billing.vault import Vault
from reconciliation.daily_check import bank_net, book_net, statement_gaps
from reconciliation.feeds.opening import statement_feed
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.statements.following import Gap, Span, gaps
from reconciliation.statements.importing import How
from reconciliation.statements.uploading import preview
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.reconciliation.statements.test_importing import NEXT_DAY, bring
from tests.reconciliation.statements.workbooks import mb

DAY = date(2025, 10, 6)
LINES = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 50)), min_size=2, max_size=12).map(sorted)


def spans_of(lines: list[tuple[int, int]], cuts: list[int]) -> list[Span]:
    """Cut an account's movements, (day, sum), into files behind each other."""
    places = [0, *cuts, len(lines)]
    made, balance = [], Money(1_000)
    for first, last in pairwise(places):
        part = lines[first:last]
        if not part:
            continue
        moved: dict[date, list[Money]] = {}
        for day, dong in part:
            moved.setdefault(DAY + timedelta(days=day), []).append(Money(dong))
        closing = balance + total(Money(dong) for _, dong in part)
        made.append(Span(min(moved), max(moved), balance, closing, moved))
        balance = closing
    return made


def told_by(spans: list[Span]) -> dict[date, Money]:
    days = {day for span in spans for day in span.moved}
    return {day: total(span.moved_on(day) for span in spans) for day in days}


@given(LINES, st.data())
def test_pieces_of_one_account_follow_in_any_order(lines: list[tuple[int, int]], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    spans = spans_of(lines, cuts)
    whole = spans_of(lines, [])
    assert gaps(data.draw(st.permutations(spans)), told_by(spans)) == []
    assert gaps([*spans, *whole], told_by(whole)) == []


def test_a_file_left_out_is_missed_to_the_dong_and_told_movements_are_not() -> None:
    first, left_out, last = spans_of([(0, 70), (2, 30), (4, 9)], [1, 2])
    gap = Gap(DAY, DAY + timedelta(days=4), Money(1_070), Money(1_100), ZERO)
    assert gaps([last, first], told_by([first, last])) == [gap]
    assert gap.missing == Money(30)
    assert gaps([first, last], told_by([first, left_out, last])) == []


@pytest.fixture
def by_statement(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_collecting(database, addresses, vault, told_by="statement")


def difference(world: Collecting, day: date) -> Money:
    with world.database.transaction(world.scope) as session:
        return bank_net(session, world.account, day) - book_net(session, world.account, day)


def test_a_missing_file_is_told_at_preview_and_is_a_difference_until_it_is_brought(by_statement: Collecting) -> None:
    number, vault = by_statement.account.number, by_statement.wiring.vault
    bring(by_statement, mb(("1", "03/10/2025", "", "70.000", "1.070.000", "an"), account=number))
    later = mb(("1", "06/10/2025", "", "5.000", "9.005.000", "be"), account=number, opening="9.000.000")
    with by_statement.database.transaction(by_statement.scope) as session:
        statement_feed(session, vault, by_statement.account, PAID_AT)
        [gap] = preview(session, by_statement.account, later, How(), NEXT_DAY).gaps
    assert (gap.after, gap.before, gap.missing) == (date(2025, 10, 3), DAY, Money(7_930_000))
    bring(by_statement, later)
    assert difference(by_statement, DAY) == Money(7_930_000)
    assert difference(by_statement, DAY - timedelta(days=1)) == ZERO
    missing = ("1", "05/10/2025", "", "7.930.000", "9.000.000", "cu")
    bring(by_statement, mb(missing, account=number, opening="1.070.000"))
    assert difference(by_statement, DAY) == ZERO
    with by_statement.database.transaction(by_statement.scope) as session:
        assert statement_gaps(session, by_statement.account) == []


def test_morning_and_afternoon_are_the_day(by_statement: Collecting) -> None:
    number = by_statement.account.number
    bring(by_statement, mb(("1", "06/10/2025", "", "70.000", "1.070.000", "an"), account=number))
    bring(by_statement, mb(("1", "06/10/2025", "", "70.000", "1.140.000", "be"), account=number, opening="1.070.000"))
    assert by_statement.books()["112"] == 140_000
    assert difference(by_statement, DAY) == ZERO


def test_a_statement_covers_its_printed_period_and_an_empty_one_does_too(collecting: Collecting) -> None:
    real = collecting.pays(collecting.requests[0].reference, 650_000, at=PAID_AT - timedelta(days=3))
    forged = collecting.pays(collecting.requests[1].reference, 300_000)
    collecting.hear_of(real, forged)
    september, october = (
        StatementHead(account=collecting.account.number, owner="X", first_day=first, last_day=last, opening=ZERO)
        for first, last in ((date(2025, 9, 1), date(2025, 9, 30)), (date(2025, 10, 1), DAY))
    )
    bring(collecting, statement(september, []))
    assert difference(collecting, DAY) == ZERO
    bring(collecting, statement(october, [real]))
    assert difference(collecting, DAY) == Money(-300_000)
