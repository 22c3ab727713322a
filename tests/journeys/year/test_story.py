"""The made-up year is plausible: in the order of time, nobody in two places, nothing before or after its days."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journeys.year import events as e
from tests.journeys.year.paying import WAYS
from tests.journeys.year.story import make_story, rounds_of

SEEDS = st.integers(0, 10_000)
MANY = settings(max_examples=150 if os.environ.get("HOCPHI_PROOF") else 12)
Kind = TypeVar("Kind", bound=e.Event)
Days = dict[tuple[str, str], list[tuple[date, date]]]


def stays(story: e.Story) -> Days:
    """Return first and last day of each time of a pupil at a school, in their order."""
    found: Days = defaultdict(list)
    for each in story.events:
        if isinstance(each, e.Arrive | e.ComeBack):
            found[each.school, each.pupil].append((each.first, date.max))
        if isinstance(each, e.Leave) and not each.back:
            found[each.school, each.pupil][-1] = found[each.school, each.pupil][-1][0], each.last
    return found


def of(story: e.Story, kind: type[Kind]) -> list[Kind]:
    return [event for event in story.events if isinstance(event, kind)]


@given(SEEDS, st.integers(1, 12))
@MANY
def test_a_seed_tells_the_same_story_again_in_the_order_of_time(seed: int, months: int) -> None:
    story = make_story(seed, months)
    assert make_story(seed, months) == story
    assert make_story(seed + 1, months) != story
    assert all(earlier.at <= later.at for earlier, later in pairwise(story.events))
    looks = [event for event in story.events if isinstance(event, e.Look)]
    assert len(looks) == months + 1
    assert looks[-1] == story.events[-1]
    assert looks[-1].whole


@given(SEEDS)
@MANY
def test_nobody_studies_in_two_places_at_a_time(seed: int) -> None:
    story = make_story(seed)
    assert max(Counter((each.school, each.pupil) for each in of(story, e.Arrive)).values()) == 1
    by_pupil: dict[str, list[tuple[date, date]]] = defaultdict(list)
    for (_, pupil), spans in stays(story).items():
        by_pupil[pupil] += spans
    for spans in by_pupil.values():
        assert all(left < came for (_, left), (came, _) in pairwise(sorted(spans)))


@given(SEEDS)
@MANY
def test_whoever_something_is_told_of_is_there(seed: int) -> None:
    story = make_story(seed)
    known = stays(story)

    def here(school: str, pupil: str, day: date) -> bool:
        return any(first <= day <= last for first, last in known[school, pupil])

    for tick in of(story, e.Tick):
        assert all(here(tick.school, pupil, tick.day) for pupil in tick.absent)
    for away in of(story, e.OfficeAbsence):
        assert here(away.school, away.pupil, away.day)
    for wish in of(story, e.Register):
        assert known[wish.school, wish.pupil][0][0] <= wish.first
    for leaving in of(story, e.Leave):
        assert here(leaving.school, leaving.pupil, leaving.last)
        assert leaving.last <= (leaving.at + timedelta(hours=7)).date()


@given(SEEDS)
@MANY
def test_absences_are_of_school_days_and_of_one_class(seed: int) -> None:
    story = make_story(seed)
    off = {(each.school, each.day): each.at for each in of(story, e.DayOff)}
    groups: dict[tuple[str, str], str] = {}
    for event in story.events:
        if isinstance(event, e.Arrive | e.ComeBack | e.ChangeClass):
            groups[event.school, event.pupil] = event.group
        if isinstance(event, e.Tick):
            assert event.day.weekday() < 5
            assert (event.school, event.day) not in off
            assert all(groups[event.school, pupil] == event.group for pupil in event.absent)


@given(SEEDS)
@MANY
def test_a_round_is_issued_before_anything_else_happens_to_it(seed: int) -> None:
    story = make_story(seed)
    issued: set[tuple[str, str]] = set()
    locked: set[tuple[str, str]] = set()
    for event in story.events:
        if isinstance(event, e.Issue):
            assert (event.school, event.code) not in issued
            assert event.due >= event.first
            issued.add((event.school, event.code))
        late = isinstance(event, e.ChooseLate | e.Supplement)  # a locked round takes no correction, but late pupils
        code = event.base if isinstance(event, e.ChooseLate | e.Supplement) else getattr(event, "round", None)
        if isinstance(event, e.Supplement):
            issued.add((event.school, event.code))
        if code is not None:
            assert (event.school, code) in issued
            assert late or (event.school, code) not in locked
        if isinstance(event, e.Lock):
            locked.add((event.school, event.round))
    assert len([code for _, code in issued if len(code) == 7]) == sum(
        len(list(rounds_of(plan))) for plan in story.schools
    )


def test_the_seeds_together_tell_of_everything() -> None:
    stories = [make_story(seed) for seed in range(1, 21)]
    kinds = Counter(type(event) for story in stories for event in story.events)
    assert {kind.__name__ for kind in kinds} == {kind.__name__ for kind in e.Event.__subclasses__()}
    paid = [event for story in stories for event in of(story, e.Pay)]
    assert {event.way for event in paid} == {"qr", "cash", "nocode", "both"}
    assert any(event.times == 2 for event in paid)
    assert any(event.told == 2 for event in paid)
    assert any(event.older for event in paid)
    assert sum(WAYS.values()) < 100, "some pay nothing"
    moved = Counter(len([span for (_, pupil), span in stays(story).items() if pupil == one])
                    for story in stories for one in {pupil for _, pupil in stays(story)})  # fmt: skip
    assert moved[2] >= 10, "transfers among the schools"
    left = [event for story in stories for event in of(story, e.Leave)]
    assert any(event.back for event in left)
    assert any(not event.approved and not event.back for event in left)
