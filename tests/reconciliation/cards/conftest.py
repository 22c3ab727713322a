"""What tests of cards share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.cards import Carding, carding
from tests.factories.collecting import Collecting


@pytest.fixture
def cards(collecting: Collecting) -> Iterator[Carding]:
    with carding(collecting) as made:
        yield made
