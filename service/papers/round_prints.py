"""A print of all classes of a round: asked for, made piece by piece, handed out whole, taken away when it expires.

One piece is one class, sealed and stored in its own transaction; so at most one class is in memory, and a worker that
is killed loses the piece in hand and nothing else. How it is worked off: ``service/jobs/printing.py``.
"""

from __future__ import annotations

import re
import zipfile
from contextlib import ExitStack
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO
from uuid import UUID

from sqlalchemy import func, insert, update
from sqlmodel import Session, col, select

from billing.errors import NotFound, Refused
from billing.people.tables import ClassGroup
from billing.rounds.drafting import find_round
from billing.rounds.tables import BillingRound
from billing.vault import Vault
from service.jobs.tables import Job
from service.papers.class_slips import Press, classes_of, print_class
from service.papers.print_state import PrintState, Standing
from service.papers.tables import KEPT, SlipPiece, SlipPrint

KIND = "slips.print"
EXPIRED = "Tệp này đã hết hạn trước khi làm xong. Xin bấm “Làm tệp” lần nữa."
_TOO_LATE = "Tệp giấy báo này đã hết hạn. Xin mở trang giấy báo của đợt thu và làm tệp mới."


def ask_print(session: Session, billing_round: BillingRound, user_id: UUID, now: datetime) -> UUID:
    """Ask for the slips of all classes; while a print is being made, that one is meant, and after a fault tried anew.

    Raises ``Refused`` before the issue and ``NotFound`` when nothing is to be paid any more.
    """
    # Two who ask at once meet at the round's row.
    session.exec(select(BillingRound.id).where(BillingRound.id == billing_round.id).with_for_update()).one()
    known = newest_print(session, billing_round, now)
    if known is not None and known.standing in {Standing.MAKING, Standing.FAILED}:
        _try_again(session, known.print_id, now)
        return known.print_id
    classes = [each.group.id for each in classes_of(session, billing_round) if each.to_pay]
    if not classes:
        raise NotFound("Đợt thu này không có thông báo nào còn phải nộp; không có gì để in.")
    school_id = billing_round.school_id
    made = SlipPrint(
        school_id=school_id, round_id=billing_round.id, asked_by=user_id, asked_at=now, expires_at=now + KEPT
    )
    session.add(made)
    session.flush()
    pieces = [
        {"print_id": made.id, "place": place, "school_id": school_id, "class_id": class_id}
        for place, class_id in enumerate(classes)
    ]
    session.execute(insert(SlipPiece), pieces)
    session.add(
        Job(
            kind=KIND,
            once_key=_key(made.id),
            school_id=school_id,
            arguments={"print": str(made.id)},
            run_after=now,
            created_at=now,
        )
    )
    session.flush()
    return made.id


def newest_print(session: Session, billing_round: BillingRound, now: datetime) -> PrintState | None:
    """Return how far the newest print of a round is; None if there never was one."""
    row = session.exec(
        select(SlipPrint)
        .where(SlipPrint.school_id == billing_round.school_id, SlipPrint.round_id == billing_round.id)
        .order_by(col(SlipPrint.asked_at).desc(), col(SlipPrint.id).desc())
        .limit(1)
    ).first()
    return None if row is None else _state(session, row, now)


def make_next_piece(session: Session, print_id: UUID, press: Press, vault: Vault) -> bool:
    """Make the first missing piece; with the last one the print is ready. Says whether it is."""
    found = session.exec(select(SlipPrint).where(SlipPrint.id == print_id)).one()
    piece = session.exec(
        select(SlipPiece)
        .where(SlipPiece.print_id == print_id, col(SlipPiece.made_at).is_(None))
        .order_by(col(SlipPiece.place))
        .limit(1)
    ).first()
    if piece is not None:
        in_class = classes_of(session, find_round(session, found.round_id), piece.class_id)
        printed = [print_class(session, each, press) for each in in_class]
        piece.slips = sum(each.count for each in printed)
        for each in printed:
            piece.sealed = vault.seal_bytes(each.pdf, _context(print_id, piece.place)) if each.pdf else None
        piece.made_at = press.now
        session.add(piece)
        session.flush()
    if _missing(session, print_id):
        return False
    found.ready_at = press.now
    session.add(found)
    session.flush()
    return True


def open_print(session: Session, billing_round: BillingRound, print_id: UUID, vault: Vault, now: datetime) -> IO[bytes]:
    """Return a print of a round as a temporary file with one PDF for each class (ZIP): one class in memory at a time.

    Raises ``NotFound`` for a print that the caller may not see, is not ready, or has expired.
    """
    found = session.exec(
        select(SlipPrint).where(SlipPrint.id == print_id, SlipPrint.round_id == billing_round.id)
    ).one_or_none()
    if found is None or found.ready_at is None:
        raise NotFound("Chưa có tệp giấy báo này. Xin mở lại trang giấy báo của đợt thu.")
    if found.wiped_at is not None or found.expires_at <= now:
        raise NotFound(_TOO_LATE)
    made_at, places = found.ready_at, _places(session, print_id)
    if not places:
        raise Refused("Khi in thì mọi thông báo của đợt thu đã nộp đủ; không có gì để tải.")
    with ExitStack() as unless_done:
        stream: IO[bytes] = unless_done.enter_context(TemporaryFile())
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as folder:
            for place, code in places:
                name = zipfile.ZipInfo(file_of(code), made_at.timetuple()[:6])
                folder.writestr(name, _opened(session, print_id, place, vault))
        stream.seek(0)
        unless_done.pop_all()  # from here on, the answer closes it
        return stream


def file_of(code: str) -> str:
    """Return the name of a class's file: a class may be called ``1/2``, which must not become a folder."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "-", code) + ".pdf"


def wipe_expired(session: Session, now: datetime) -> int:
    """Take the bytes out of prints whose time is over, and end what was never finished; return how many prints.

    A print at which a worker is just printing is left for the next time.
    """
    rows = session.exec(
        select(SlipPrint, Job)
        .join(Job, col(Job.once_key) == func.concat(f"{KIND}:", col(SlipPrint.id)))
        .where(SlipPrint.expires_at <= now, col(SlipPrint.wiped_at).is_(None))
        .with_for_update(of=Job, skip_locked=True)
    ).all()
    for found, job in rows:
        of_print = (col(SlipPiece.print_id) == found.id, col(SlipPiece.sealed).is_not(None))
        session.execute(update(SlipPiece).where(*of_print).values(sealed=None))
        found.wiped_at = now
        session.add(found)
        if job.state == "queued":
            job.state, job.last_error, job.done_at = "failed", EXPIRED, now
            session.add(job)
    session.flush()
    return len(rows)


def _key(print_id: UUID) -> str:
    return f"{KIND}:{print_id}"


def _context(print_id: UUID, place: int) -> str:
    return f"slip_pieces.sealed {print_id} {place}"


def _try_again(session: Session, print_id: UUID, now: datetime) -> None:
    session.execute(
        update(Job)
        .where(col(Job.once_key) == _key(print_id), col(Job.state).in_(("queued", "failed")), col(Job.last_error) != "")
        .values(state="queued", run_after=now, last_error="", attempts=0)
    )


def _state(session: Session, row: SlipPrint, now: datetime) -> PrintState:
    made, pieces, slips = session.exec(
        select(func.count(col(SlipPiece.made_at)), func.count(), func.sum(SlipPiece.slips)).where(
            SlipPiece.school_id == row.school_id, SlipPiece.print_id == row.id
        )
    ).one()
    state, trouble = session.exec(select(Job.state, Job.last_error).where(Job.once_key == _key(row.id))).one()
    if row.wiped_at is not None or row.expires_at <= now:
        standing = Standing.EXPIRED
    elif row.ready_at is not None:
        standing = Standing.READY
    else:
        standing = Standing.FAILED if state == "failed" else Standing.MAKING
    return PrintState(row.id, standing, made, pieces, slips or 0, row.asked_at, row.expires_at, trouble)


def _missing(session: Session, print_id: UUID) -> int:
    return session.exec(
        select(func.count())
        .select_from(SlipPiece)
        .where(SlipPiece.print_id == print_id, col(SlipPiece.made_at).is_(None))
    ).one()


def _places(session: Session, print_id: UUID) -> list[tuple[int, str]]:
    """Return the pieces that hold something, each with the code of its class."""
    rows = session.exec(
        select(SlipPiece.place, ClassGroup.code)
        .join(ClassGroup, col(ClassGroup.id) == col(SlipPiece.class_id))
        .where(SlipPiece.print_id == print_id, col(SlipPiece.sealed).is_not(None))
        .order_by(col(SlipPiece.place))
    ).all()
    return [(place, code) for place, code in rows]


def _opened(session: Session, print_id: UUID, place: int, vault: Vault) -> bytes:
    sealed = session.exec(
        select(SlipPiece.sealed).where(SlipPiece.print_id == print_id, SlipPiece.place == place)
    ).one()
    if sealed is None:  # taken out since the places were read
        raise NotFound(_TOO_LATE)
    return vault.open_bytes(sealed, _context(print_id, place))
