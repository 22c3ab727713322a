"""A small accuracy run: the demands hold, the mix is checked, and a matcher that is wrong is caught."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.accuracy.__main__ import made
from benchmarks.accuracy.judging import Tally, Verdict, Way, faults_of_mix, missed, score, ways
from benchmarks.accuracy.labelled import MIX, Kind, Labelled
from benchmarks.accuracy.world import World
from billing.money import Money

TRANSFERS = 2_000


@pytest.fixture(scope="module")
def run() -> tuple[World, list[Labelled]]:
    return made(TRANSFERS, 600)


@pytest.fixture(scope="module")
def by_name(run: tuple[World, list[Labelled]]) -> dict[str, Way]:
    return ways(run[0])


def test_every_share_is_as_fixed_and_every_label_true(run: tuple[World, list[Labelled]]) -> None:
    assert sum(MIX.values()) == 100
    assert faults_of_mix(run[1]) == []


def test_a_share_that_is_off_or_a_false_label_is_told(run: tuple[World, list[Labelled]]) -> None:
    whole = next(each for each in run[1] if each.kind is Kind.WHOLE)
    told_as_none = [replace(whole, kind=Kind.NO_CODE) if each is whole else each for each in run[1]]
    faults = faults_of_mix(told_as_none)

    assert any(fault.startswith("reference whole: 1199 of 2000") for fault in faults)
    assert f"transfer {whole.transfer.id} is not: no code" in faults


def test_damage_that_is_not_uniform_is_told(run: tuple[World, list[Labelled]]) -> None:
    one_place = [replace(each, place=0) if each.kind is Kind.ONE_DAMAGED else each for each in run[1]]

    assert any("not uniform by place" in fault for fault in faults_of_mix(one_place))


def test_our_matcher_meets_every_demand(run: tuple[World, list[Labelled]], by_name: dict[str, Way]) -> None:
    tallies = score(run[1], by_name["hocphi"])

    assert missed(tallies) == []
    assert sum(tally.wrong for tally in tallies.values()) == 0
    assert tallies[Kind.WHOLE].alone == tallies[Kind.WHOLE].transfers == 1_200
    assert tallies[Kind.TWIN].alone == tallies[Kind.OTHER_SCHOOL].alone == 0


def test_money_on_a_wrong_child_and_too_few_matches_are_told(run: tuple[World, list[Labelled]]) -> None:
    stranger = Verdict({"nobody": Money(1_000)})

    faults = missed(score(run[1], lambda _: stranger))
    silent = missed(score(run[1], lambda _: Verdict({})))

    assert faults[0] == "2000 transfers landed on the wrong child; demanded: 0"
    assert [fault.split(":")[0] for fault in silent] == ["whole references matched alone", "one damaged, right first"]


def test_more_than_the_owner_is_due_is_wrong_too(run: tuple[World, list[Labelled]]) -> None:
    whole = next(each for each in run[1] if each.kind is Kind.WHOLE)
    [(pupil, amount)] = whole.owners.items()
    tally = Tally()
    tally.add(whole, Verdict({pupil: amount + Money(1)}))
    tally.add(whole, Verdict({pupil: amount}))
    tally.add(whole, Verdict({}, ["x", "y", pupil]))
    tally.add(whole, Verdict({}, ["x", "y", "z", pupil]))

    assert (tally.wrong, tally.alone, tally.first, tally.within, tally.otherwise) == (1, 1, 0, 1, 1)


def test_the_peers_are_measured_on_the_same_transfers(
    run: tuple[World, list[Labelled]], by_name: dict[str, Way]
) -> None:
    peer = score(run[1], by_name["pretix"])
    sums = score(run[1], by_name["same amount, 24 h"])

    assert peer[Kind.WHOLE].alone > 0.99 * peer[Kind.WHOLE].transfers, "it reads whole codes as well as we do"
    assert peer[Kind.ONE_DAMAGED].first == 0
    assert sum(tally.wrong for tally in sums.values()) > 0
