"""A school with one pupil for the tests on the real database."""

from __future__ import annotations

from datetime import datetime

import pytest

from billing.vault import Vault
from service.database import Database
from tests.notifications.world import World, make_world
from tests.standing import standing


@pytest.fixture
@standing
def world(database: Database, vault: Vault, now: datetime) -> World:
    return make_world(database, vault, now)
