"""Promotion counts everybody once, and is a bijection on the decided."""

from __future__ import annotations

from datetime import date
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.newyear.promoting import Choice, Decided, Standing, new_places, tally

CLASSES = [UUID(int=number) for number in range(1, 4)]
DECIDED = st.one_of(
    st.none(),
    st.sampled_from([choice for choice in Choice if not choice.stays]).map(Decided),
    st.builds(Decided, st.sampled_from([choice for choice in Choice if choice.stays]), st.sampled_from(CLASSES)),
)


@st.composite
def schools(draw: st.DrawFn) -> list[Standing]:
    numbers = draw(st.lists(st.integers(100, 10_000), unique=True, max_size=30))
    made = []
    for number in numbers:
        decided = draw(DECIDED)
        done = decided is not None and draw(st.booleans())
        ends_on = draw(st.sampled_from([None, date(2026, 8, 31)])) if done else None
        made.append(Standing(UUID(int=number), UUID(int=number + 10**6), decided, done, ends_on))
    return made


@given(pupils=schools())
def test_everybody_is_counted_once(pupils: list[Standing]) -> None:
    counts = tally(pupils)
    assert counts.adds_up
    assert counts.before == len(pupils)
    assert counts.done + counts.waiting + counts.undecided == counts.before
    assert counts.waiting == sum(bool(each.ends_on or (each.decided and not each.done)) for each in pupils)


@given(pupils=schools(), chance=st.randoms(use_true_random=False))
def test_places_are_a_bijection_on_the_decided_who_stay_in_any_order(pupils: list[Standing], chance: Random) -> None:
    staying = [each for each in pupils if each.decided and each.decided.choice.stays and not each.done]
    places = new_places(pupils)
    assert places == {each.pupil_id: each.decided.class_id for each in staying if each.decided}
    assert len(places) == len(staying)
    shuffled = list(pupils)
    chance.shuffle(shuffled)
    assert new_places(shuffled) == places
    assert tally(shuffled) == tally(pupils)


def test_a_pupil_who_stands_there_twice_is_a_fault() -> None:
    one = Standing(UUID(int=1), UUID(int=2), Decided(Choice.PROMOTED, CLASSES[0]))
    with pytest.raises(ValueError, match="twice"):
        new_places([one, Standing(UUID(int=3), UUID(int=2), Decided(Choice.REPEATING, CLASSES[1]))])
