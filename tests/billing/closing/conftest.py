"""The school whose months are closed."""

from __future__ import annotations

import pytest

from service.database import Database
from tests.billing.closing.closing_world import Book, make_book
from tests.standing import standing


@pytest.fixture
@standing
def book(database: Database) -> Book:
    """Return the school, its book begun in August."""
    return make_book(database)
