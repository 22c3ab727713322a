"""The till that is tested."""

from datetime import datetime

import pytest

from billing.vault import Vault
from service.database import Database
from tests.billing.cash.cash_world import Till, make_till
from tests.standing import standing


@pytest.fixture
@standing
def till(database: Database, vault: Vault, now: datetime) -> Till:
    """Three boarders with September and October to pay."""
    return make_till(database, vault, now)
