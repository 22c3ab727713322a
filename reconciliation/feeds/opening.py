"""Configuring a feed: an unguessable address, a pinned scheme, a sealed secret; and changing the secret."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
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
from reconciliation.tables import OPEN_KEY, Feed

SECRET_CONTEXT = "feeds.secret"  # noqa: S105  the name of a column
KEY_CONTEXT = "feeds.key_digest"
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
    empty it. Raises ``UnknownFeed`` for a provider we cannot read, ``Conflict`` for an API key that is open at another
    feed, of whichever school.
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
    _keep(session, vault, feed, secret)
    return feed, token


def rotate_secret(session: Session, vault: Vault, feed: Feed, secret: str) -> None:
    """Give a feed a new secret; the old one stays valid until ``forget_old_secret``.

    Raises ``UnknownFeed`` for a secret that the scheme cannot use: it would close the door to the old one too; and
    ``Conflict`` as ``open_feed`` does.
    """
    if feed.previous_secret_sealed is not None:
        raise Conflict("Bí mật cũ còn hiệu lực: hãy kết thúc lần đổi trước")
    _demand_usable(feed.provider, feed.scheme, secret)
    feed.previous_secret_sealed = feed.secret_sealed
    feed.secret_sealed = vault.seal(secret, SECRET_CONTEXT)
    _keep(session, vault, feed, secret)


def _keep(session: Session, vault: Vault, feed: Feed, secret: str | None) -> None:
    """Write a feed with its secret; an API key of Stripe's is open at one feed only, which the database watches.

    Two feeds with one key would each book what Stripe tells of fees and payouts.
    """
    if feed.provider == STRIPE and feed.scheme == LIST and secret is not None:
        _digest_older(session, vault)
        feed.key_digest = vault.blind(secret, KEY_CONTEXT)
    try:
        with session.begin_nested():
            session.add(feed)
            session.flush()
    except IntegrityError as error:
        if OPEN_KEY not in str(error.orig):
            raise
        raise Conflict(
            "Khóa API này đang mở ở một kênh khác. Mỗi tài khoản của trường cần một tài khoản Stripe riêng."
        ) from error


def _digest_older(session: Session, vault: Vault) -> None:
    """Write the digests of keys that were given before digests were kept, as far as the scope reaches."""
    query = select(Feed).where(Feed.provider == STRIPE, Feed.scheme == LIST, col(Feed.closed_at).is_(None))
    feeds = session.exec(query).all()
    known = {each.key_digest for each in feeds if each.key_digest is not None}
    for each in feeds:
        if each.key_digest is None:
            digest = vault.blind(secrets_of(each, vault)[0], KEY_CONTEXT)
            if digest not in known:  # two feeds had one key before: the later one is closed by hand
                each.key_digest = digest
                known.add(digest)
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
