"""The small school whose credit is tested."""

from datetime import datetime

import pytest

from billing.vault import Vault
from service.database import Database
from tests.billing.credits.credit_world import School, make_school
from tests.standing import standing


@pytest.fixture
@standing
def school(database: Database, vault: Vault, now: datetime) -> School:
    """Three boarders; September is billed, and the first has paid it."""
    made = make_school(database, vault, now)
    with made.open() as session:
        made.bill_month(session, 9)
        made.pay(session, 9)
    return made
