"""The providers whose lists we can ask for and read (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciliation.lists.base import ListReader
from reconciliation.lists.casso import CassoList
from reconciliation.lists.sepay import SepayList

LISTS: Mapping[str, ListReader] = {each.provider: each for each in (SepayList(), CassoList())}
"""By the name under which a feed is configured."""
