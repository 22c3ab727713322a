"""A statement from the hand of an accountant: kept sealed, shown before anything is stored, confirmed as it was shown.

The file is kept between the steps, so nobody chooses it twice and the bytes that are confirmed are the bytes that were
shown. It is forgotten when it is confirmed (the inbox has it then) or, at the next upload, after a day.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.vault import Vault
from reconciliation.daily_check import statement_gaps
from reconciliation.feeds.opening import statement_feed
from reconciliation.inbox import digest_of
from reconciliation.statements.belonging import Doubt, doubts_of
from reconciliation.statements.following import Gap, Span
from reconciliation.statements.importing import How, Imported, covered_days, import_statement, read_for
from reconciliation.statements.knowing import known_lines
from reconciliation.statements.layouts import Column
from reconciliation.statements.lines import Statement
from reconciliation.statements.mapping import Mapped, Unknown, first_rows
from reconciliation.statements.tables import ExplainedLayout, StatementUpload

BODY_CONTEXT = "statement_uploads.body"
KEPT = timedelta(days=1)
_MOST_LAYOUTS = 50


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would bring: the statement, how many of its lines are known, and a digest of all of it.

    ``doubts``: what the file does not show of its account, so that somebody must answer for it.
    ``balanced`` is false while the balances are neither in the file nor typed; such a statement is not imported.
    ``gaps`` are where it would not meet the statements before and after it.
    """

    statement: Statement
    known: int
    balanced: bool
    digest: str
    doubts: tuple[Doubt, ...] = ()
    gaps: tuple[Gap, ...] = ()


def keep_upload(  # noqa: PLR0913  the acts of a person at a moment
    session: Session, vault: Vault, account: BankAccount, name: str, data: bytes, *, user_id: UUID, now: datetime
) -> StatementUpload:
    """Keep a file sealed until it is confirmed; forget older ones of the school."""
    digest = digest_of(data)
    old = (col(StatementUpload.made_at) < now - KEPT) | (col(StatementUpload.digest) == digest)
    of_school = col(StatementUpload.school_id) == account.school_id
    still_kept = col(StatementUpload.body_sealed).is_not(None)
    session.execute(update(StatementUpload).where(of_school, still_kept, old).values(body_sealed=None))
    upload = StatementUpload(
        school_id=account.school_id,
        bank_account_id=account.id,
        name=name[:200],
        digest=digest,
        body_sealed=vault.seal_bytes(data, BODY_CONTEXT),
        made_by=user_id,
        made_at=now,
    )
    session.add(upload)
    session.flush()
    return upload


def find_upload(session: Session, school_id: UUID, upload_id: UUID) -> tuple[StatementUpload, BankAccount]:
    """Return a kept file with its account; raises ``NotFound``."""
    found = session.exec(
        select(StatementUpload, BankAccount)
        .join(BankAccount, col(BankAccount.id) == col(StatementUpload.bank_account_id))
        .where(StatementUpload.school_id == school_id, StatementUpload.id == upload_id),
    ).one_or_none()
    if found is None:
        raise NotFound("Không có tệp sao kê này ở trường.", upload=str(upload_id))
    return found


def bytes_of(vault: Vault, upload: StatementUpload) -> bytes:
    """Return the very bytes that were brought; raises ``Conflict`` once they are forgotten."""
    if upload.body_sealed is None:
        raise Conflict("Tệp này đã nhập xong hoặc đã quá một ngày. Hãy tải tệp lên lại nếu còn cần.")
    data = vault.open_bytes(upload.body_sealed, BODY_CONTEXT)
    if digest_of(data) != upload.digest:
        raise Conflict("Tệp đã lưu không còn nguyên vẹn. Hãy tải tệp lên lại.")
    return data


def layouts_of(session: Session, account: BankAccount) -> tuple[Mapped, ...]:
    """Return what people of the school explained of this bank's files, the newest first."""
    rows = session.exec(
        select(ExplainedLayout)
        .where(ExplainedLayout.school_id == account.school_id, ExplainedLayout.bank_bin == account.bank_bin)
        .order_by(col(ExplainedLayout.made_at).desc(), col(ExplainedLayout.id).desc())
        .limit(_MOST_LAYOUTS),
    ).all()
    return tuple(Mapped(tuple(row.heading), {Column(name): at for name, at in row.columns.items()}) for row in rows)


def preview(session: Session, account: BankAccount, data: bytes, how: How, now: datetime) -> Preview:
    """Read a file and say what it would bring; nothing is stored. Raises ``StatementUnreadable`` and its kinds."""
    statement = read_for(account, data, _with_layouts(session, account, how), now)
    balanced = statement.opening is not None and statement.closing is not None
    known = len(known_lines(session, account, statement)) if balanced else 0
    return Preview(
        statement,
        known,
        balanced,
        _digest(statement, account),
        doubts_of(statement, account.bank_bin),
        _gaps(session, account, statement, now),
    )


def _gaps(session: Session, account: BankAccount, statement: Statement, now: datetime) -> tuple[Gap, ...]:
    if statement.opening is None or statement.closing is None:
        return ()
    first, last = covered_days(statement, now)
    moved: dict[date, list[Money]] = defaultdict(list)
    for line in statement.lines:
        moved[line.day].append(line.signed)
    brought = Span(first, last, statement.opening, statement.closing, moved)
    found = statement_gaps(session, account, brought)
    return tuple(gap for gap in found if gap.before == first or gap.after == last)


def rows_to_explain(vault: Vault, upload: StatementUpload) -> Unknown:
    """Return the first rows of a kept file whose layout nobody knows; raises ``StatementUnreadable``."""
    return first_rows(bytes_of(vault, upload))


def confirm_upload(  # noqa: PLR0913, PLR0917  the acts of a person at a moment
    session: Session,
    vault: Vault,
    upload: StatementUpload,
    account: BankAccount,
    how: How,
    seen: str,
    actor: Actor,
    now: datetime,
) -> Imported:
    """Import exactly what was shown (``seen``: the preview's digest), and remember what was explained.

    Raises ``Conflict`` when the file reads differently by now, or is gone; ``Refused`` when the file does not show
    that it is of this account and nobody said that it is (``how.vouched``).
    """
    session.refresh(upload, with_for_update=True)
    data = bytes_of(vault, upload)
    shown = preview(session, account, data, how, now)
    if shown.digest != seen:
        raise Conflict("Bản xem trước đã cũ: hãy xem lại rồi bấm Nhập.")
    if shown.doubts and not how.vouched:
        raise Refused(
            "Tệp không cho thấy là sao kê của tài khoản này. Quay lại bản xem trước, đối chiếu với ngân hàng, "
            "rồi đánh dấu xác nhận nếu đúng. Chưa nhập gì cả.",
        )
    known = _with_layouts(session, account, how)
    feed = statement_feed(session, vault, account, now)
    done = import_statement(session, vault, feed, data, actor.user_id, now, known)
    for each in how.mapped:
        _remember(session, account, each, actor, now)
    upload.body_sealed = None
    session.add(upload)
    deed = Deed(account.school_id, "statement.import", "statement_upload", str(upload.id))
    record_deed(
        session,
        actor,
        deed,
        now,
        sha256=upload.digest.hex(),
        lines=done.lines,
        new=done.new,
        known=done.known,
        doubts=[*shown.doubts],
    )
    return done


def _with_layouts(session: Session, account: BankAccount, how: How) -> How:
    return replace(how, mapped=(*how.mapped, *layouts_of(session, account)))


def _remember(session: Session, account: BankAccount, mapped: Mapped, actor: Actor, now: datetime) -> None:
    if actor.user_id is None or mapped in layouts_of(session, account)[:1]:
        return
    columns = {column.value: place for column, place in mapped.columns.items()}
    row = ExplainedLayout(
        school_id=account.school_id,
        bank_bin=account.bank_bin,
        heading=list(mapped.heading),
        columns=columns,
        made_by=actor.user_id,
        made_at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(account.school_id, "statement.explain_layout", "explained_layout", str(row.id))
    record_deed(session, actor, deed, now, bank=account.bank_bin, heading=list(mapped.heading), columns=columns)


def _digest(statement: Statement, account: BankAccount) -> str:
    said: Sequence[object] = (
        account.id,
        statement.account,
        statement.opening,
        statement.closing,
        *(line.key(account.number) for line in statement.lines),
    )
    return hashlib.sha256("\0".join(map(str, said)).encode()).hexdigest()
