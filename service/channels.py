"""Settings become ways to families: the mail server, Zalo with its tokens kept in the database, and eSMS."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from email.utils import parseaddr
from functools import cache
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import httpx
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from billing.vault import Vault
from notifications.channels.base import Channel
from notifications.channels.esms import EsmsAccount, EsmsChannel
from notifications.channels.mail import MailChannel, MailServer, Sender, connector
from notifications.channels.zalo import Tokens, ZaloApp, ZaloChannel
from notifications.errors import TemporaryFailure
from notifications.rules import Via
from notifications.tables import ProviderToken
from service.database import NOTHING, Database
from service.settings import Settings
from service.wiring import Wiring, derived_key

# All of a call's waits together stay below the lease of a message (60 s): a letter takes six answers.
_ASKING_SECONDS = 10.0  # of Zalo and eSMS
_MAIL_SECONDS = 8.0
_OWN_MACHINE = {"localhost", "127.0.0.1", "::1"}
_DEFAULT_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_NO_ACCESS_YET = "none"
_PROVIDER = "zalo"
SMS_NEWS = "/sms/tin-bao"
"""Where eSMS tells that there is news of a text (service/pages/sms_news.py)."""

_CONTEXT = "provider_tokens"


def available_channels(settings: Settings) -> frozenset[Via]:
    """Return the channels that are set up; the others are never planned."""
    zalo = settings.zalo_app_id and settings.zalo_app_secret and settings.zalo_template_notice
    sms = settings.esms_api_key and settings.esms_secret_key and settings.esms_brandname
    ways = {Via.MAIL: bool(settings.smtp_url), Via.ZALO: bool(zalo), Via.SMS: bool(sms)}
    return frozenset(via for via, is_set in ways.items() if is_set)


@contextmanager
def open_channels(wiring: Wiring) -> Iterator[dict[Via, Channel[Any]]]:
    """Give the channels that are set up; their connections are closed at the end."""
    settings, ways = wiring.settings, available_channels(wiring.settings)
    channels: dict[Via, Channel[Any]] = {}
    with ExitStack() as open_ones:
        client = open_ones.enter_context(httpx.Client(timeout=_ASKING_SECONDS, verify=trusted()))
        if Via.MAIL in ways and settings.smtp_url:
            mail = MailChannel(connector(mail_server(settings.smtp_url)), mail_sender(settings))
            open_ones.callback(mail.close)
            channels[Via.MAIL] = mail
        if Via.ZALO in ways:
            tokens = StoredTokens(wiring.database, wiring.vault, wiring.clock, _secret(settings.zalo_refresh_token))
            channels[Via.ZALO] = ZaloChannel(client, _zalo_app(settings), tokens)
        if Via.SMS in ways:
            channels[Via.SMS] = EsmsChannel(client, esms_account(wiring))
        yield channels


def esms_account(wiring: Wiring) -> EsmsAccount:
    """Return our account at eSMS, with the address that it tells news to."""
    settings = wiring.settings
    return EsmsAccount(
        api_key=_secret(settings.esms_api_key),
        secret_key=_secret(settings.esms_secret_key),
        brandname=settings.esms_brandname,
        base=settings.esms_base_url,
        callback=f"{settings.base_url}{SMS_NEWS}/{sms_news_key(settings)}",
    )


def sms_news_key(settings: Settings) -> str:
    """Return what stands in the address that eSMS calls: it signs nothing, so strangers must not know where."""
    return derived_key(settings, "sms news 1")[:16].hex()


@cache
def trusted() -> ssl.SSLContext:
    """Read the certificates we trust once for the process: that takes longer than sending a message."""
    return httpx.create_ssl_context()


def mail_server(url: str) -> MailServer:
    """Read ``smtp://user:password@host:port``.

    ``smtps`` is TLS from the start; ``smtp`` is STARTTLS, except on this machine; ``smtp+plain`` never encrypts and
    is for a stand-in in the next container. Raises ``ValueError`` for anything else.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if not host:
        raise ValueError("SMTP_URL: thiếu tên máy chủ")
    security = _security(parts.scheme, host)
    return MailServer(
        host=host,
        port=parts.port or _DEFAULT_PORTS[security],
        security=security,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        timeout=_MAIL_SECONDS,
    )


def mail_sender(settings: Settings) -> Sender:
    """Read ``MAIL_SENDER``: a name and an address."""
    name, address = parseaddr(settings.mail_sender)
    if "@" not in address:
        raise ValueError("MAIL_SENDER: cần dạng Tên <dia-chi@truong.vn>")
    return Sender(name, address)


def _security(scheme: str, host: str) -> Literal["none", "starttls", "tls"]:
    if scheme == "smtps":
        return "tls"
    if scheme == "smtp+plain" or (scheme == "smtp" and host in _OWN_MACHINE):
        return "none"
    if scheme == "smtp":
        return "starttls"
    raise ValueError("SMTP_URL: cần smtp://, smtps:// hoặc smtp+plain://")


class StoredTokens:
    """Zalo's pair of tokens, sealed in one row; whoever renews it holds the row's lock.

    The first refresh token comes from the settings. It is tried once more when the stored one is refused: that is how
    an administrator who has allowed our application anew brings it back. A pair is read once and kept until Zalo
    refuses it: then ``renew`` finds what another worker has stored meanwhile.
    """

    def __init__(self, database: Database, vault: Vault, clock: Callable[[], datetime], first_refresh: str) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._first_refresh = first_refresh
        self._known: Tokens | None = None

    def current(self) -> Tokens:
        """Return the pair in use; a first access token that opens nothing makes the channel renew it."""
        if self._known is None:
            with self._database.transaction(NOTHING) as session:
                row = session.get(ProviderToken, _PROVIDER)
                self._known = self._open(row) if row else Tokens(_NO_ACCESS_YET, self._first_refresh)
        return self._known

    def renew(self, refused: str, exchange: Callable[[str], Tokens]) -> Tokens:
        """Exchange the refresh token, once among all workers; see ``TokenStore.renew``."""
        try:
            with self._database.transaction(NOTHING) as session:
                pair = self._newer(session, refused, exchange)
        except OperationalError as waited:  # somebody else is renewing and takes long
            raise TemporaryFailure("Zalo đang đổi mã truy cập.", channel=Via.ZALO, code="token busy") from waited
        self._known = pair
        return pair

    def _newer(self, session: Session, refused: str, exchange: Callable[[str], Tokens]) -> Tokens:
        row = self._locked(session)
        pair = self._open(row)
        if pair.access != refused:
            return pair
        newer = self._exchanged(pair.refresh, exchange)
        self._write(row, newer)
        return newer

    def _exchanged(self, refresh: str, exchange: Callable[[str], Tokens]) -> Tokens:
        try:
            return exchange(refresh)
        except TemporaryFailure:
            if refresh == self._first_refresh:
                raise
            return exchange(self._first_refresh)

    def _locked(self, session: Session) -> ProviderToken:
        now = self._clock()
        session.execute(
            insert(ProviderToken)
            .values(
                provider=_PROVIDER,
                access_sealed=self._seal(_NO_ACCESS_YET),
                refresh_sealed=self._seal(self._first_refresh),
                expires_at=now,
                refreshed_at=now,
            )
            .on_conflict_do_nothing()
        )
        query = select(ProviderToken).where(ProviderToken.provider == _PROVIDER).with_for_update()
        return session.exec(query).one()

    def _write(self, row: ProviderToken, pair: Tokens) -> None:
        row.access_sealed, row.refresh_sealed = self._seal(pair.access), self._seal(pair.refresh)
        row.refreshed_at = self._clock()
        row.expires_at = row.refreshed_at + timedelta(seconds=pair.expires_in)

    def _open(self, row: ProviderToken) -> Tokens:
        return Tokens(self._vault.open(row.access_sealed, _CONTEXT), self._vault.open(row.refresh_sealed, _CONTEXT))

    def _seal(self, token: str) -> bytes:
        return self._vault.seal(token, _CONTEXT)


def _zalo_app(settings: Settings) -> ZaloApp:
    return ZaloApp(
        app_id=settings.zalo_app_id or "",
        app_secret=_secret(settings.zalo_app_secret),
        message_base=settings.zalo_base_url.rstrip("/"),
        oauth_base=settings.zalo_oauth_url.rstrip("/"),
    )


def _secret(value: Any) -> str:  # noqa: ANN401  a SecretStr or nothing
    return value.get_secret_value() if value else ""
