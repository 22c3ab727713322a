"""Killed anywhere on the way of a callback (K1–K12), and told again as the provider does: nothing lost or doubled."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import psycopg

from service.database import libpq_url
from tests.journeys.money_in.conftest import MakeTown
from tests.journeys.money_in.programs import SETTLING_POINTS, WEB_POINTS, WORKER_POINTS, Program, running, wait_for
from tests.journeys.money_in.town import MARKS, PROOF, Town

TURNS = 10 if PROOF else 1
ANSWERED = {"answered", "rung"}

pytestmark = MARKS


def die_at(town: Town, point: str, body: bytes) -> int | None:
    """Post to a web that dies at a point; return the status that the provider saw."""
    with running("web", town.environment, point) as deadly:
        status = town.post(deadly.url, body)
        assert deadly.died(), point
    return status


def die_while_inserting(town: Town, body: bytes) -> int | None:
    """Post to a web that is killed in the middle of its insert (K3): somebody else holds the same key meanwhile."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'hocphi_door'"
    key = [town.collecting.feed.id, hashlib.sha256(body).digest()]
    with (
        running("web", town.environment) as web,
        psycopg.connect(libpq_url(town.collecting.wiring.addresses.owner)) as holding,
        psycopg.connect(libpq_url(town.collecting.wiring.addresses.owner), autocommit=True) as looking,
        ThreadPoolExecutor(1) as pool,
    ):
        holding.execute(
            "INSERT INTO inbox (feed_id, digest, body_sealed, headers, received_at) VALUES (%s, %s, '', '{}', now())",
            key,
        )
        posting = pool.submit(town.post, web.url, body)
        wait_for(lambda: looking.execute(f"{waits} AND wait_event_type = 'Lock'").fetchone() != (0,), "the insert")
        web.kill()
        holding.rollback()
        return posting.result()


def again(town: Town, web: Program, body: bytes) -> None:
    """Tell it again, as a provider does that saw no 2xx, until it is taken."""
    assert town.post(web.url, body) == 200
    assert town.post(web.url, body) == 200, "and once more: it had been on its way already"


def test_the_web_is_killed_at_every_point(make_town: MakeTown) -> None:
    town = make_town(TURNS * (len(WEB_POINTS) + 1))
    web, *_ = town.start("web", "worker", "sweeper")
    for turn in range(TURNS):
        for place, point in enumerate((*WEB_POINTS, "inserting"), start=turn * (len(WEB_POINTS) + 1)):
            _, body = town.pay(place)
            status = die_while_inserting(town, body) if point == "inserting" else die_at(town, point, body)
            assert status == (200 if point in ANSWERED else None), point
            if status is None:
                again(town, web, body)
    told = len(town.collecting.requests)
    town.wait_until_settled(told)

    assert len(town.messages()) == told
    town.demand_sound([50_000] * told)


def test_the_worker_is_killed_when_it_has_begun(make_town: MakeTown) -> None:
    town = make_town(TURNS * len(WORKER_POINTS))
    (web,) = town.start("web")
    for place in range(len(town.collecting.requests)):
        with running("worker", town.environment, WORKER_POINTS[place % len(WORKER_POINTS)]) as deadly:
            assert town.post(web.url, town.pay(place)[1]) == 200
            assert deadly.died()
    assert town.results() == []
    assert town.collecting.states() == []
    told = len(town.collecting.requests)
    town.start("worker", "sweeper")
    town.wait_until_settled(told)

    town.demand_sound([50_000] * told)


def test_the_worker_is_killed_while_it_settles(make_town: MakeTown) -> None:
    """K8 to K12: what was not committed is not there at all; what was is there once, receipt and all."""
    town = make_town(TURNS * len(SETTLING_POINTS))
    (web,) = town.start("web")
    told = len(town.collecting.requests)
    for place in range(told):
        point = SETTLING_POINTS[place % len(SETTLING_POINTS)]
        with running("worker", town.environment, point) as deadly:
            assert town.post(web.url, town.pay(place)[1]) == 200
            assert deadly.died(), point
        # It settles what it finds, oldest first: those that an earlier one left behind come before this one's.
        settled = place // len(SETTLING_POINTS) + (point == "settled")
        assert town.collecting.states().count("matched") == len(town.collecting.receipts()) == settled, point
        town.demand_invariants("I1", "I2", "I3", "I4", "I5", "I6", "I7")
    town.start("worker", "sweeper")
    town.wait_until_settled(told)

    town.demand_sound([50_000] * told)
