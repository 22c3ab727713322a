"""The school whose queue is tested."""

from __future__ import annotations

import pytest

from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import make_collecting
from tests.reconciliation.queue.queue_world import Queue, make_queue
from tests.standing import standing


@pytest.fixture
@standing
def queue(database: Database, addresses: Addresses, vault: Vault) -> Queue:
    """Two children who owe 650,000 and 300,000 đ, and three people."""
    return make_queue(make_collecting(database, addresses, vault))
