"""Configuring a feed: an unguessable address, a pinned scheme, a sealed secret; and changing the secret."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.errors import Conflict
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.vault import Vault
from reconciliation.errors import UnknownFeed
from reconciliation.feeds import base
from reconciliation.feeds.base import STATEMENT
from reconciliation.feeds.providers import FEEDS
from reconciliation.feeds.stripe import PROVIDER as STRIPE
from reconciliation.feeds.stripe import SCHEME, StripeFeed
from reconciliation.lists.base import LIST, ListReader
from reconciliation.lists.providers import LISTS
from reconciliation.tables import Feed

SECRET_CONTEXT = "feeds.secret"  # noqa: S105  the name of a column
FILE_SCHEME = "file"
HOLD_ABOVE = Money(20_000_000)
"""Money above it is held where the signature does not prove the amount, unless another limit is agreed."""
_TOKEN_BYTES = 24


def open_feed(  # noqa: PLR0913, PLR0917  each is a fact of the agreement with the provider
    session: Session,
    vault: Vault,
    account: BankAccount,
    provider: str,
    scheme: str,
    secret: str | None,
    hold_above: Money | None,
    now: datetime,
    *,
    token: str | None = None,
) -> tuple[Feed, str]:
    """Configure a feed of an account; return it with the secret part of its address, which is not kept.

    The provider is told ``/callbacks/`` and that part, which is random unless a ``token`` is given; for a list, which
    we ask ourselves, nobody is told. A feed that does not prove amounts has a limit always; the database refuses to
    empty it. Raises ``UnknownFeed`` for a provider we cannot read.
    """
    if provider == STATEMENT:
        scheme, secret = FILE_SCHEME, None
    else:
        proves = _demand_usable(provider, scheme, secret or "").proves_amount
        hold_above = hold_above if hold_above is not None or proves else HOLD_ABOVE
    token = token or secrets.token_urlsafe(_TOKEN_BYTES)
    feed = Feed(
        school_id=account.school_id,
        bank_account_id=account.id,
        provider=provider,
        scheme=scheme,
        path_hash=path_hash(token),
        secret_sealed=vault.seal(secret, SECRET_CONTEXT) if secret else None,
        hold_above=hold_above,
        opened_at=now,
    )
    session.add(feed)
    session.flush()
    return feed, token


def rotate_secret(session: Session, vault: Vault, feed: Feed, secret: str) -> None:
    """Give a feed a new secret; the old one stays valid until ``forget_old_secret``.

    Raises ``UnknownFeed`` for a secret that the scheme cannot use: it would close the door to the old one too.
    """
    if feed.previous_secret_sealed is not None:
        raise Conflict("Bí mật cũ còn hiệu lực: hãy kết thúc lần đổi trước")
    _demand_usable(feed.provider, feed.scheme, secret)
    feed.previous_secret_sealed = feed.secret_sealed
    feed.secret_sealed = vault.seal(secret, SECRET_CONTEXT)
    session.add(feed)
    session.flush()


def forget_old_secret(session: Session, feed: Feed) -> None:
    """End a change of secrets: only the new one is valid from now on."""
    feed.previous_secret_sealed = None
    session.add(feed)
    session.flush()


def path_hash(token: str) -> bytes:
    """Return the SHA-256 under which the secret part of an address is kept."""
    return hashlib.sha256(token.encode()).digest()


def reader(provider: str, scheme: str, secrets_now: list[str]) -> base.Feed:
    """Return what believes and reads a provider's messages; raises ``UnknownFeed``."""
    kind = StripeFeed if provider == STRIPE else FEEDS.get(provider)
    if kind is None:
        raise UnknownFeed(f"Chưa hỗ trợ nhà cung cấp {provider}", provider=provider)
    try:
        return kind(scheme, secrets_now)
    except ValueError as error:
        raise UnknownFeed(f"Không mở được kênh {provider}: {error}", provider=provider) from error


def list_reader(provider: str) -> ListReader:
    """Return what asks for and reads a provider's list; raises ``UnknownFeed``."""
    if provider not in LISTS:
        raise UnknownFeed(f"Chưa biết lấy danh sách giao dịch của {provider}", provider=provider)
    return LISTS[provider]


def reader_of(feed: Feed, vault: Vault) -> base.Feed:
    """Return what believes the callbacks of a configured feed, with its valid secrets."""
    return reader(feed.provider, feed.scheme, secrets_of(feed, vault))


def message_reader(feed: Feed, vault: Vault) -> base.Reading:
    """Return what reads the stored messages of a feed, callbacks or pages of a list."""
    if feed.provider == STRIPE:  # events and lists are read by ``reconciliation.cards``
        return StripeFeed(SCHEME, ["-"])
    return list_reader(feed.provider) if feed.scheme == LIST else reader_of(feed, vault)


def secrets_of(feed: Feed, vault: Vault) -> list[str]:
    """Return a feed's valid secrets, the newest first."""
    sealed = [each for each in (feed.secret_sealed, feed.previous_secret_sealed) if each is not None]
    return [vault.open(each, SECRET_CONTEXT) for each in sealed]


def _demand_usable(provider: str, scheme: str, secret: str) -> base.Reading:
    """Return what reads a feed's messages; raises ``UnknownFeed`` unless it can work with this scheme and secret."""
    if scheme != LIST:
        return reader(provider, scheme, [secret])
    if provider == STRIPE:
        _demand_api_key(secret)
        return StripeFeed(SCHEME, ["-"])
    found = list_reader(provider)
    if not secret.isascii() or not secret.isprintable() or not secret or " " in secret:
        raise UnknownFeed("Mã truy cập danh sách phải là một dòng chữ không dấu, không có khoảng trắng")
    return found


def _demand_api_key(secret: str) -> None:
    """Raise ``UnknownFeed`` for what is no secret key of Stripe's; the public one (``pk_…``) opens nothing."""
    if re.fullmatch(r"(sk|rk)_[A-Za-z0-9_]{8,250}", secret) is None:
        raise UnknownFeed("Khóa API của Stripe phải bắt đầu bằng sk_ hoặc rk_")


def statement_feed(session: Session, vault: Vault, account: BankAccount, now: datetime) -> Feed:
    """Return the feed through which statements of an account are read in, made on demand."""
    found = session.exec(
        select(Feed).where(
            Feed.school_id == account.school_id,
            Feed.bank_account_id == account.id,
            Feed.provider == STATEMENT,
        ),
    ).first()
    return found or open_feed(session, vault, account, STATEMENT, FILE_SCHEME, None, None, now)[0]


def feed_by_id(session: Session, school_id: UUID, feed_id: UUID) -> Feed:
    """Return a feed of a school; raises ``UnknownFeed``."""
    feed = session.exec(select(Feed).where(Feed.school_id == school_id, Feed.id == feed_id)).one_or_none()
    if feed is None:
        raise UnknownFeed("Không có kênh này", feed_id=str(feed_id))
    return feed


def is_called(session: Session, account: BankAccount) -> bool:
    """Tell whether an open feed takes the bank's calls about an account: without one nothing changes by itself."""
    if account.told_by != "callback":
        return False
    query = select(Feed.id).where(
        Feed.school_id == account.school_id,
        Feed.bank_account_id == account.id,
        col(Feed.closed_at).is_(None),
        col(Feed.scheme).not_in(("file", "list")),
    )
    return session.exec(query.limit(1)).first() is not None
