"""From raw messages to transfers: each message on its own, so that a bad one harms no other."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlmodel import Session, select

from billing.errors import HocphiError
from billing.ledger.tables import BankAccount
from billing.vault import Vault
from reconciliation.cards.booking import book_message
from reconciliation.cards.objects import named
from reconciliation.cards.switching import live_mode
from reconciliation.errors import CallbackUnreadable, UnknownFeed
from reconciliation.feeds.base import Kind, NormalisedTransfer, Reading
from reconciliation.feeds.opening import feed_by_id, message_reader
from reconciliation.feeds.stripe import PROVIDER as STRIPE
from reconciliation.inbox import BODY_CONTEXT, claim
from reconciliation.lists.base import LIST
from reconciliation.lists.booking import Booked, book_page, is_taken, refused_by_database
from reconciliation.tables import Feed, InboxMessage, InboxResult
from reconciliation.transfers import Origin, lock_account, refuse_implausible, write_transfer

_log = logging.getLogger(__name__)

MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Normalised:
    """What became of a batch: messages finished, new transfers, transfers known before, messages put aside."""

    messages: int = 0
    transfers: int = 0
    duplicates: int = 0
    quarantined: int = 0


def normalise(session: Session, vault: Vault, school_id: UUID, inbox_ids: Sequence[int], now: datetime) -> Normalised:
    """Read messages of one school into transfers, each in its own savepoint, and write its result.

    What cannot be read, for whatever reason, is put aside (*quarantined*) with it; its bytes stay in the inbox. A
    failing database and a key that somebody else has just written (``IntegrityError``) end the whole batch, which is
    then tried again.
    """
    results = []
    messages = claim(session, inbox_ids)
    sources = _sources(session, vault, school_id, messages)
    for account_id in sorted({source.account.id for source in sources.values()}):
        lock_account(session, account_id)
    for message in messages:
        result = _read_one(session, vault, sources[message.feed_id], message, now)
        session.add(result)
        session.flush()
        results.append(result)
    return Normalised(
        messages=len(results),
        transfers=sum(result.transfers for result in results),
        duplicates=sum(result.duplicates for result in results),
        quarantined=sum(result.outcome == "quarantined" for result in results),
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """A feed with its account and what reads its messages (why not, if nothing does)."""

    feed: Feed
    account: BankAccount
    reader: Reading | HocphiError


def _sources(session: Session, vault: Vault, school_id: UUID, messages: Sequence[InboxMessage]) -> dict[UUID, _Source]:
    sources = {}
    for feed_id in {message.feed_id for message in messages}:
        feed = feed_by_id(session, school_id, feed_id)
        account = session.exec(
            select(BankAccount).where(BankAccount.school_id == school_id, BankAccount.id == feed.bank_account_id),
        ).one()
        try:
            reader: Reading | HocphiError = message_reader(feed, vault)
        except HocphiError as error:
            reader = error
        except (InvalidTag, ValueError):
            reader = UnknownFeed("Không mở được bí mật của kênh", feed_id=str(feed_id))
        sources[feed_id] = _Source(feed, account, reader)
    return sources


def _read_one(session: Session, vault: Vault, source: _Source, message: InboxMessage, now: datetime) -> InboxResult:
    if message.id is None:
        raise ValueError("a message from the inbox has an id")
    try:
        with session.begin_nested():
            booked = _write_all(session, vault, source, message, now)
    except HocphiError as error:
        return _aside(message.id, _named(vault, source, message, error.message), now)
    except InvalidTag:
        return _aside(message.id, "Không mở được nội dung đã niêm phong", now)
    except (IntegrityError, DataError) as error:
        if is_taken(error):
            raise
        return _aside(message.id, refused_by_database(error), now)
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a message holds: it harms no other, and its bytes stay
        _log.warning("message %s is put aside: %s", message.id, type(error).__name__)
        return _aside(message.id, f"Không đọc được thông báo: {type(error).__name__}", now)
    return _result(message.id, booked, now)


def _named(vault: Vault, source: _Source, message: InboxMessage, reason: str) -> str:
    """Return why a message was put aside, with Stripe's id where it is one of Stripe's: it is looked up there."""
    if source.feed.provider != STRIPE:
        return reason
    stripe_id = named(vault.open_bytes(message.body_sealed, BODY_CONTEXT))
    return f"{reason} · {stripe_id}" if stripe_id and stripe_id not in reason else reason


def _result(inbox_id: int, booked: Booked, now: datetime) -> InboxResult:
    """Return what became of a message; of a list's page some rows may be put aside and the others be in the book."""
    outcome = "quarantined" if booked.aside else "normalised" if booked.written or booked.known else "ignored"
    return InboxResult(
        inbox_id=inbox_id,
        outcome=outcome,
        reason="; ".join(booked.aside)[:MAX_REASON],
        transfers=booked.written,
        duplicates=booked.known,
        at=now,
    )


def _aside(inbox_id: int, reason: str, now: datetime) -> InboxResult:
    return InboxResult(inbox_id=inbox_id, outcome="quarantined", reason=reason[:MAX_REASON], at=now)


def _write_all(session: Session, vault: Vault, source: _Source, message: InboxMessage, now: datetime) -> Booked:
    """Write the transfers of a message; return how many were new and how many were known."""
    if isinstance(source.reader, HocphiError):
        raise source.reader
    body = vault.open_bytes(message.body_sealed, BODY_CONTEXT)
    if source.feed.provider == STRIPE:
        live = live_mode(session, vault, source.account)
        return book_message(session, source.account, message.id or 0, body, now, live=live)
    told = source.reader.read_each(body)
    if source.feed.scheme == LIST:
        return book_page(session, vault, Origin(source.account, message.id or 0, listed=True), told, now)
    ids = []
    for read in told:
        if isinstance(read, CallbackUnreadable):
            raise read
        if read.kind is Kind.TRANSFER and _is_ours(source.account, read):
            held = not source.reader.proves_amount and _is_large(source.feed, read)
            origin = Origin(source.account, message.id or 0, held=held)
            refuse_implausible(origin, read, now)
            ids.append(write_transfer(session, vault, origin, read, now))
    return Booked(sum(each is not None for each in ids), sum(each is None for each in ids))


def _is_ours(account: BankAccount, read: NormalisedTransfer) -> bool:
    """Refuse money on an account that is not the feed's own; a secret of one account speaks for no other."""
    if read.account not in (None, account.number):
        raise CallbackUnreadable("Thông báo nói về một tài khoản khác với tài khoản của kênh", account=read.account)
    return True


def _is_large(feed: Feed, read: NormalisedTransfer) -> bool:
    """Tell whether a person must look first where the signature alone does not prove who wrote the amount."""
    return feed.hold_above is not None and read.amount > feed.hold_above
