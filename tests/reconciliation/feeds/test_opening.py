"""One API key is open at one feed only, of whichever school; an address and a bank's secret may be anybody's."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import text

from billing.errors import Conflict
from billing.ledger.tables import BankAccount
from billing.vault import Vault
from reconciliation.feeds.opening import open_feed, rotate_secret
from reconciliation.lists.base import LIST
from reconciliation.tables import Feed
from service.database import EVERYTHING, Database, Scope
from tests.factories.schools import make_account, make_school

KEYS = ("sk_test_xin_chao", "sk_test_chao_lai")


@pytest.fixture
def accounts(database: Database) -> tuple[BankAccount, BankAccount]:
    """An account each of two schools."""
    with database.transaction(EVERYTHING) as session:
        return make_account(session, make_school(session)), make_account(session, make_school(session))


def _open(database: Database, vault: Vault, account: BankAccount, key: str, now: datetime) -> Feed:
    with database.transaction(Scope.of(account.school_id)) as session:
        return open_feed(session, vault, account, "stripe", LIST, key, None, now)[0]


def test_a_key_that_is_open_elsewhere_is_refused_until_it_is_closed_there(
    database: Database, vault: Vault, now: datetime, accounts: tuple[BankAccount, BankAccount]
) -> None:
    mine, other = accounts
    first = _open(database, vault, mine, KEYS[0], now)
    with pytest.raises(Conflict, match="đang mở ở một kênh khác"):
        _open(database, vault, other, KEYS[0], now)
    second = _open(database, vault, other, KEYS[1], now)
    with database.transaction(EVERYTHING) as session, pytest.raises(Conflict, match="đang mở ở một kênh khác"):
        rotate_secret(session, vault, session.get_one(Feed, second.id), KEYS[0])
    with database.transaction(EVERYTHING) as session:
        session.get_one(Feed, first.id).closed_at = now
    with database.transaction(EVERYTHING) as session:
        rotate_secret(session, vault, session.get_one(Feed, second.id), KEYS[0])
    with pytest.raises(Conflict):
        _open(database, vault, mine, KEYS[0], now)
    _open(database, vault, mine, KEYS[1], now)


def test_a_key_that_was_given_before_digests_were_kept_counts_too(
    database: Database, vault: Vault, now: datetime, accounts: tuple[BankAccount, BankAccount]
) -> None:
    mine, other = accounts
    old = _open(database, vault, mine, KEYS[0], now)
    with database.transaction(EVERYTHING) as session:
        session.execute(text("UPDATE feeds SET key_digest = NULL"))
    with database.transaction(EVERYTHING) as session, pytest.raises(Conflict, match="đang mở ở một kênh khác"):
        open_feed(session, vault, other, "stripe", LIST, KEYS[0], None, now)
    with database.transaction(EVERYTHING) as session:
        open_feed(session, vault, other, "stripe", LIST, KEYS[1], None, now)
        assert session.get_one(Feed, old.id).key_digest is not None
        open_feed(session, vault, other, "stripe", "v1", KEYS[0], None, now)
