"""The school that insures its pupils."""

from datetime import datetime

import pytest

from billing.vault import Vault
from service.database import Database
from tests.billing.insurance.insurance_world import Insuring, make_insuring
from tests.standing import standing


@pytest.fixture
@standing
def insuring(database: Database, vault: Vault, now: datetime) -> Insuring:
    """Three boarders of class 1A, born in March 2019, no cards known, nothing billed."""
    return make_insuring(database, vault, now)
