"""A hundred copies of one callback at the same moment, over several web processes: all are taken, one is posted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.journeys.money_in.conftest import MakeTown
from tests.journeys.money_in.town import MARKS, PROOF

TURNS = 10 if PROOF else 1
COPIES = 100
PROCESSES = 4 if PROOF else 2

pytestmark = MARKS


def test_a_hundred_copies_over_several_processes_are_one_posting(make_town: MakeTown) -> None:
    town = make_town(TURNS)
    webs = town.start(*["web"] * PROCESSES)
    town.start("worker", "sweeper")
    with ThreadPoolExecutor(25) as pool:
        for turn in range(TURNS):
            _, body = town.pay(turn)
            posted = [pool.submit(town.post, webs[copy % len(webs)].url, body) for copy in range(COPIES)]
            assert {each.result() for each in posted} == {200}
    town.wait_until_settled(TURNS)

    assert len(town.messages()) == TURNS
    town.demand_sound([50_000] * TURNS)
