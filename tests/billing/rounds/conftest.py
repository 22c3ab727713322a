"""The small school that the tests of rounds bill."""

import pytest

from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.rounds import BillingSchool, make_billing_school, register
from tests.standing import standing


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    """A school of three, the first of whom boards."""
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault)
        register(session, made.pupils[0], "BANTRU", "TIENAN")
    return made
