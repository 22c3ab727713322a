"""A small school at the end of a year: three boarders, two billed months, one of them overpaid."""

from datetime import datetime

import pytest

from billing.vault import Vault
from service.database import Database
from tests.billing.newyear.year_world import YearSchool, make_year_school
from tests.standing import standing


@pytest.fixture
@standing
def school(database: Database, vault: Vault, now: datetime) -> YearSchool:
    """October and November are billed; the first has paid October, and 50.000 đ too much; nobody else has paid."""
    return make_year_school(database, vault, now)
