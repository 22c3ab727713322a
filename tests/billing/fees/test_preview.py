"""The preview of a round: sums, differences, oddities, and a digest that names exactly what was seen."""

from dataclasses import replace
from datetime import date
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.fees.caps import CapVerdict, Standing
from billing.fees.charges import Charge, PupilFacts, Schedule
from billing.fees.charging import charge_all
from billing.fees.items import Group, Payer, Span, Unit
from billing.fees.preview import Bounds, OddityKind, Preview, digest_of, make_preview
from billing.money import ZERO, Money, total
from tests.factories.fees import OCTOBER, item, percent, period, price, public, pupil, pupils, schedules

WATER = item("NUOCUONG")
MEALS = item("TIENAN", unit=Unit.MEAL_DAY, account="meals")


def charged(*children: PupilFacts, dong: int = 10_000) -> list[Charge]:
    return list(charge_all(children, period(), public(price(WATER, dong))))


def kinds(preview: Preview) -> list[OddityKind]:
    return [oddity.kind for oddity in preview.oddities]


def one_each(children: list[PupilFacts]) -> list[PupilFacts]:
    return [replace(child, pupil_id=UUID(int=number)) for number, child in enumerate(children)]


def test_totals_bills_and_items() -> None:
    schedule = public(price(WATER, 10_000), price(MEALS, 32_000))
    children = [pupil(1), pupil(2, percent(50, items=("TIENAN",))), pupil(3, percent(100))]
    preview = make_preview(list(charge_all(children, period(), schedule)), {})
    meals = 32_000 * 23
    assert preview.totals.pupils == 3
    assert preview.totals.gross == Money(3 * (10_000 + meals))
    assert preview.totals.family == Money(2 * 10_000 + meals + meals // 2)
    assert preview.totals.state == Money(10_000 + meals + meals // 2)
    assert (preview.bills, preview.covered) == (6, 2)
    assert [(each.code, each.account, each.quantity) for each in preview.items] == [
        ("NUOCUONG", "main", 3),
        ("TIENAN", "meals", 69),
    ]


def test_the_difference_names_who_is_new_gone_and_changed() -> None:
    last = {UUID(int=1): Money(10_000), UUID(int=2): Money(8_000), UUID(int=4): Money(10_000)}
    difference = make_preview(charged(pupil(1), pupil(2), pupil(3)), last).difference
    assert (difference.was, difference.now, difference.change) == (Money(28_000), Money(30_000), Money(2_000))
    assert difference.new == (UUID(int=3),)
    assert difference.gone == (UUID(int=4),)
    assert [(each.pupil_id.int, each.was.dong, each.now.dong) for each in difference.changed] == [(2, 8_000, 10_000)]


@pytest.mark.parametrize(
    ("was", "jump"), [(10_000, False), (6_667, False), (6_666, True), (20_000, False), (20_001, True), (0, True)]
)
def test_a_jump_is_more_than_half_of_the_last_due(was: int, *, jump: bool) -> None:
    preview = make_preview(charged(pupil(1)), {UUID(int=1): Money(was)}, bounds=Bounds(total_percent=10**6))
    assert (OddityKind.JUMP in kinds(preview)) is jump


@pytest.mark.parametrize(("was", "asks"), [(10_000, False), (8_334, False), (8_333, True), (12_501, True)])
def test_the_total_may_move_by_a_fifth_before_it_asks(was: int, *, asks: bool) -> None:
    preview = make_preview(charged(pupil(1)), {UUID(int=1): Money(was)})
    assert ([each.kind for each in preview.must_confirm] == [OddityKind.TOTAL]) is asks


def test_the_first_round_has_nothing_to_compare_with() -> None:
    assert make_preview(charged(pupil(1)), {}).oddities == ()


def test_who_owes_nothing_and_who_cannot_be_reached() -> None:
    free, silent = pupil(1, percent(100)), pupil(2)
    nobody = pupil(3, enrolled=(Span(date(2025, 9, 1), date(2025, 9, 30)),))
    preview = make_preview(charged(free, silent, nobody), {}, without_contact={UUID(int=1), UUID(int=2)})
    assert [(each.kind, each.pupil_id and each.pupil_id.int) for each in preview.oddities] == [
        (OddityKind.ZERO, 1),
        (OddityKind.NO_CONTACT, 2),
        (OddityKind.EMPTY, 3),
    ]
    assert not preview.must_confirm


def test_no_oddity_tells_why_a_child_pays_nothing() -> None:
    preview = make_preview(charged(pupil(1, percent(100))), {UUID(int=1): Money(10_000)})
    texts = " ".join(oddity.text for oddity in preview.oddities)
    assert texts
    assert "nghèo" not in texts
    assert "Nghị định" not in texts


def test_items_without_a_cap_need_a_yes_once_each() -> None:
    verdict = CapVerdict(WATER, Money(10_000), Standing.NO_CAP, None, "chưa có mức trần")
    fine = CapVerdict(MEALS, Money(10_000), Standing.FREE, None, "tự quyết định")
    preview = make_preview(charged(pupil(1)), {}, [verdict, verdict, fine])
    assert [(each.kind, each.item_code) for each in preview.must_confirm] == [(OddityKind.NO_CAP, "NUOCUONG")]


def test_a_pupil_charged_twice_is_refused() -> None:
    with pytest.raises(Refused, match="hai lần"):
        make_preview(charged(pupil(1), pupil(1)), {})
    with pytest.raises(Refused, match="hai lần"):
        digest_of(charged(pupil(1), pupil(1)))


@given(st.lists(pupils(), max_size=6), schedules())
def test_the_parts_of_a_preview_add_up(children: list[PupilFacts], schedule: Schedule) -> None:
    charges = list(charge_all(one_each(children), period(), schedule))
    preview = make_preview(charges, {})
    whole = preview.totals
    assert whole.gross == whole.family + whole.state + whole.school + whole.donor
    assert whole.family == total(charge.family_due for charge in charges) == preview.difference.now
    assert whole.gross == total(each.totals.gross for each in preview.items)
    assert whole.family == total(each.totals.family for each in preview.items)
    assert 0 <= preview.covered <= preview.bills


@given(st.lists(pupils(), max_size=6), schedules(), st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_order(
    children: list[PupilFacts], schedule: Schedule, random: Random
) -> None:
    charges = list(charge_all(one_each(children), period(), schedule))
    mixed = random.sample(charges, len(charges))
    assert make_preview(mixed, {}) == make_preview(charges, {})


def test_the_digest_stays_the_same_from_release_to_release() -> None:
    """An approval must outlive a deployment: change DIGEST_FORMAT if this has to change."""
    charges = charged(pupil(1), pupil(2, percent(50)))
    assert digest_of(charges) == "3f9ee55c206549e2d2c1607bb0f701c5bd87a14562d9aa72100d02ca50f54b31"
    assert make_preview(charges, {}).digest == digest_of(charges)


def test_any_difference_in_what_would_be_written_changes_the_digest() -> None:
    child = pupil(1, percent(50))
    base = charged(child)[0]
    line = base.lines[0]
    cause = line.reductions[0].reduction
    other_days = replace(base.period, days=Span(OCTOBER.start, date(2025, 10, 30)), meal_days=frozenset())

    def with_line(**fields: object) -> Charge:
        return replace(base, lines=(replace(line, **fields),))  # type: ignore[arg-type]  # any field of a line

    def with_cause(**fields: object) -> Charge:
        applied = replace(line.reductions[0], reduction=replace(cause, **fields))  # type: ignore[arg-type]  # as above
        return with_line(reductions=(applied,))

    variants = [
        base,
        replace(base, pupil_id=UUID(int=2)),
        replace(base, period=replace(base.period, code="2025-11")),
        replace(base, period=other_days),
        replace(base, lines=()),
        replace(base, lines=(line, line)),
        with_line(quantity=2),
        with_line(unit_price=Money(9_999)),
        with_line(gross=Money(9_999)),
        with_line(family_share=ZERO),
        with_line(item=replace(line.item, account="meals")),
        with_line(item=replace(line.item, name="Tiền nước")),
        with_line(item=replace(line.item, group=Group.SERVICE)),
        with_line(item=replace(line.item, revenue_account="3388")),
        with_line(reductions=()),
        with_cause(payer=Payer.DONOR),
        with_cause(legal_basis="khác"),
        with_cause(title="khác"),
        with_cause(evidence="giấy chứng nhận"),
    ]
    assert len({digest_of([each]) for each in variants}) == len(variants)
    assert digest_of([]) not in {digest_of([each]) for each in variants}
