"""What tests of reconciliation on a real database share."""

from __future__ import annotations

import pytest

from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import Collecting, make_collecting
from tests.standing import standing


@pytest.fixture
@standing
def collecting(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_collecting(database, addresses, vault)
