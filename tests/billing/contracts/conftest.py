"""The private school whose contracts are tested."""

import pytest

from billing.vault import Vault
from service.database import Database
from tests.billing.contracts.contract_world import PrivateSchool, make_private_school
from tests.standing import standing


@pytest.fixture
@standing
def school(database: Database, vault: Vault) -> PrivateSchool:
    """One pupil of before, a version from June 2025."""
    return make_private_school(database, vault)
