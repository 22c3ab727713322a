"""The small school whose pupils leave and move."""

from datetime import datetime

import pytest

from billing.vault import Vault
from service.database import Database
from tests.billing.credits.credit_world import School, make_school
from tests.standing import standing


@pytest.fixture
@standing
def bare(database: Database, vault: Vault, now: datetime) -> School:
    """Three boarders, nothing billed."""
    return make_school(database, vault, now)


@pytest.fixture
@standing
def school(database: Database, vault: Vault, now: datetime) -> School:
    """October and November are billed, and the first has paid October."""
    made = make_school(database, vault, now)
    with made.open() as session:
        made.bill_month(session, 10)
        made.bill_month(session, 11)
        made.pay(session, 10)
    return made
