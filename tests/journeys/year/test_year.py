"""A year of three schools: whatever happens in it, every family's book and page come to what was reckoned apart.

A seed that fails is played again, books compared after every event, by

    HOCPHI_YEAR_SEEDS=7 HOCPHI_YEAR_CLOSELY=1 python -m pytest tests/journeys/year/test_year.py -m proof
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.journeys.year.acting import play
from tests.journeys.year.story import make_story
from tests.journeys.year.town import found_town

SEEDS = [int(seed) for seed in os.environ.get("HOCPHI_YEAR_SEEDS", "").split()] or list(range(1, 21))
CLOSELY = bool(os.environ.get("HOCPHI_YEAR_CLOSELY"))
MONTHS = int(os.environ.get("HOCPHI_YEAR_MONTHS", "12"))

Live = Callable[[int, int, int], None]


@pytest.fixture
def live(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Live:
    """Play a seed: so many months, and pupils at each school."""

    def run(seed: int, months: int, pupils: int) -> None:
        story = make_story(seed, months, pupils)
        play(found_town(database, addresses, vault, servers.redis_url, story), story, closely=CLOSELY)

    return run


def test_three_months_come_to_what_was_reckoned(live: Live) -> None:
    live(1, 3, 4)


@pytest.mark.proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_whole_year_comes_to_what_was_reckoned(live: Live, seed: int) -> None:
    live(seed, MONTHS, 12)
