"""The web on a desk of samples: called directly, or looked at in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from billing.vault import Vault
from service.access import limits
from service.access.sessions import new_session
from service.database import Database
from service.preparing import Addresses
from service.web import assemble
from tests.browser import free_listener, open_browser, origin_of, served
from tests.conftest import TestServers
from tests.service.pages.sample_desk import SampleDesk, sample_parts
from tests.service.pages.samples import NOW
from tests.service.pages.worlds import World, make_world
from tests.standing import standing


@pytest.fixture(scope="package", autouse=True)
def one_loop() -> Iterator[None]:
    """One event loop answers all clients, as in a running web, and not a new one in a new thread for each request."""
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestClient, "portal", portal)
        yield


@pytest.fixture(autouse=True)
def presses_counted_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of a file share their links, and Redis, so each counts by itself how often it asks for a card page."""
    monkeypatch.setattr(limits, "CARD_PAGES", replace(limits.CARD_PAGES, name=f"card-pages-{uuid4()}"))


@pytest.fixture
def desk() -> SampleDesk:
    return SampleDesk()


@pytest.fixture
def client(desk: SampleDesk) -> TestClient:
    return sample_client(desk)


def sample_client(desk: SampleDesk, app: ASGIApp | None = None) -> TestClient:
    """Return a client that asks for pages and follows nothing by itself."""
    return TestClient(
        app or assemble(sample_parts(desk)),
        headers={"accept": "text/html"},
        follow_redirects=False,
        raise_server_exceptions=False,
    )


def signed_in(client: TestClient, desk: SampleDesk, role: str) -> TestClient:
    """Sign a client in without the form."""
    fresh = new_session()
    desk.start_session(desk.accounts[role], fresh.digest, NOW)
    client.cookies.set("hocphi", fresh.token)
    return client


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file; its event loop must be gone before others call ``asyncio.run``."""
    with open_browser() as browser:
        yield browser


@pytest.fixture
def live(desk: SampleDesk) -> Iterator[str]:
    """A real server on the sample desk; hands out its origin."""
    listener = free_listener()
    with served(assemble(sample_parts(desk, origin=origin_of(listener))), listener) as origin:
        yield origin


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """A small phone, 360 × 640."""
    context = chromium.new_context(viewport={"width": 360, "height": 640}, locale="vi-VN")
    yield context.new_page()
    context.close()


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    """A school with an issued round on real rows."""
    return make_world(database, addresses, vault, servers)
