"""The school whose money out is tested."""

from datetime import datetime

import pytest

from billing.vault import Vault
from service.database import Database
from tests.reconciliation.outgoing.outgoing_world import Spending, make_spending
from tests.standing import standing


@pytest.fixture
@standing
def spending(database: Database, vault: Vault, now: datetime) -> Spending:
    """A school with two accounts and the insurer's money, whose bank books in and out."""
    return make_spending(database, vault, now)
