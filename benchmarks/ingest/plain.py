"""The peer: the same work as most would write it, a FastAPI route with a SQLModel session.

``python -m benchmarks.ingest.plain PORT``, with the settings of the web in the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from sqlmodel import Session, select

from reconciliation.errors import CallbackRefused
from reconciliation.feeds.opening import path_hash, reader_of
from reconciliation.inbox import BODY_CONTEXT, digest_of
from reconciliation.tables import Feed, InboxMessage
from service.database import EVERYTHING
from service.running import make_program_wiring
from service.settings import read_settings
from service.wiring import Wiring

router = APIRouter()


async def raw_body(request: Request) -> bytes:
    """Return the bytes that were signed."""
    return await request.body()


def opened(request: Request) -> Iterator[Session]:
    """Hold a session for one request."""
    with Session(request.app.state.wiring.database.engine) as session:
        yield session


@router.post("/callbacks/{token}")
def take(
    token: str,
    request: Request,
    body: Annotated[bytes, Depends(raw_body)],
    session: Annotated[Session, Depends(opened)],
) -> dict[str, bool]:
    """Verify one callback, insert it, commit."""
    wiring: Wiring = request.app.state.wiring
    feed_id, reader = request.app.state.feeds[path_hash(token)]
    now = wiring.clock()
    try:
        reader.verify(body, request.headers, now)
    except CallbackRefused as refused:
        raise HTTPException(401) from refused
    session.add(
        InboxMessage(
            feed_id=feed_id,
            digest=digest_of(body),
            body_sealed=wiring.vault.seal_bytes(body, BODY_CONTEXT),
            headers={name: request.headers[name] for name in ("content-type", "user-agent")},
            received_at=now,
        )
    )
    session.commit()
    return {"success": True}


def plain_app(wiring: Wiring) -> FastAPI:
    """Return the application; its feeds are read once."""
    app = FastAPI()
    app.state.wiring = wiring
    with wiring.database.transaction(EVERYTHING) as session:
        rows = session.exec(select(Feed)).all()
        app.state.feeds = {row.path_hash: (row.id, reader_of(row, wiring.vault)) for row in rows}
    app.include_router(router)
    return app


if __name__ == "__main__":
    uvicorn.run(
        plain_app(make_program_wiring(read_settings())),
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        server_header=False,
    )
