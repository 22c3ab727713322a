"""The small school whose pupils leave and move."""

from datetime import datetime

import pytest

from billing.vault import Vault
from service.database import Database
from tests.billing.credits.credit_world import School, make_school


@pytest.fixture
def bare(database: Database, vault: Vault, now: datetime) -> School:
    """Three boarders, nothing billed."""
    return make_school(database, vault, now)


@pytest.fixture
def school(bare: School) -> School:
    """October and November are billed, and the first has paid October."""
    with bare.open() as session:
        bare.bill_month(session, 10)
        bare.bill_month(session, 11)
        bare.pay(session, 10)
    return bare
