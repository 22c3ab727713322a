"""A school with its office, whose bank takes money back."""

from __future__ import annotations

import pytest

from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import make_collecting
from tests.journeys.settling.office import Office, make_office
from tests.standing import standing


@pytest.fixture
@standing
def office(database: Database, addresses: Addresses, vault: Vault) -> Office:
    """Two children owe 650,000 đ and 300,000 đ; nothing is paid yet."""
    return make_office(make_collecting(database, addresses, vault))
