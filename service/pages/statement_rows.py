"""The pages of bank statements, from rows of one school."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.errors import BadRows, HocphiError, NotFound, Refused
from billing.ledger.tables import BankAccount
from billing.payments.banks import bank_by_bin
from billing.vault import Vault
from reconciliation.daily_check import bank_net, book_net
from reconciliation.errors import StatementLayoutUnknown, StatementUnreadable
from reconciliation.statements.belonging import Doubt
from reconciliation.statements.grid import cell_name
from reconciliation.statements.importing import How
from reconciliation.statements.lines import clean
from reconciliation.statements.mapping import Unknown, explained, first_rows, guessed
from reconciliation.statements.tables import StatementUpload
from reconciliation.statements.uploading import Preview, find_upload, preview, rows_to_explain
from reconciliation.tables import StatementFile
from service.access.tables import User
from service.pages.statement_views import (
    ColumnToExplain,
    ShownLine,
    StatementAccount,
    StatementFileRow,
    StatementPreview,
    StatementsPage,
    StatementToExplain,
    TypedHow,
)
from service.pages.typed import read_money

_FILES = 12
_LINES = 8
_SAMPLES = 3


def statements_page(session: Session, school_id: UUID) -> StatementsPage:
    """Return the open accounts and the newest statements."""
    accounts = session.exec(
        select(BankAccount)
        .where(BankAccount.school_id == school_id)
        .order_by(col(BankAccount.closed_on).is_not(None), col(BankAccount.opened_on), col(BankAccount.number)),
    ).all()
    names = {account.id: account_name(account) for account in accounts}
    files = session.exec(
        select(StatementFile)
        .where(StatementFile.school_id == school_id)
        .order_by(col(StatementFile.read_at).desc())
        .limit(_FILES),
    ).all()
    by_id = select(User).where(col(User.id).in_([file.read_by for file in files if file.read_by is not None]))
    readers = {user.id: user.full_name for user in session.exec(by_id).all()}
    return StatementsPage(
        tuple(_account(session, account) for account in accounts),
        tuple(
            _file(file, names[file.bank_account_id], readers.get(file.read_by, "") if file.read_by else "")
            for file in files
        ),
    )


def account_of(session: Session, school_id: UUID, account_id: str) -> BankAccount:
    """Return an account of the school; raises ``NotFound``."""
    accounts = session.exec(select(BankAccount).where(BankAccount.school_id == school_id)).all()
    account = next((each for each in accounts if str(each.id) == account_id), None)
    if account is None:
        raise NotFound("Không có tài khoản này ở trường.", account=account_id)
    return account


def demand_readable(session: Session, account: BankAccount, data: bytes, now: datetime) -> None:
    """Raise ``BadRows`` or ``StatementUnreadable`` for a file that nothing said of it could make readable."""
    try:
        preview(session, account, data, How(), now)
    except StatementLayoutUnknown:
        first_rows(data)
    except StatementUnreadable as error:
        raise _told(error) from error


def how_of(vault: Vault, upload: StatementUpload, typed: TypedHow) -> How:
    """Read what was said of a file; raises ``Refused``."""
    opening, closing = (read_money(text) if text.strip() else None for text in (typed.opening, typed.closing))
    vouched = typed.vouched == "1"
    if not typed.columns:
        return How((), opening, closing, vouched)
    unknown = rows_to_explain(vault, upload)
    return How((explained(unknown, _heading(unknown, typed), typed.columns),), opening, closing, vouched)


def brought(  # noqa: PLR0913, PLR0917  what an act of a person needs to know
    session: Session, vault: Vault, school_id: UUID, upload_id: UUID, typed: TypedHow, data: bytes, now: datetime
) -> StatementPreview | StatementToExplain:
    """Return the preview of a kept file, or the form to explain its columns, with what was wrong in the last try."""
    upload, account = find_upload(session, school_id, upload_id)
    if typed.heading and not typed.columns:
        return _to_explain(vault, upload, account, typed, None)
    try:
        return _preview(upload, account, preview(session, account, data, how_of(vault, upload, typed), now), typed)
    except HocphiError as error:
        if typed.columns or isinstance(error, StatementLayoutUnknown):
            return _to_explain(vault, upload, account, typed, None if not typed.columns else error)
        raise _told(error) from error


def account_name(account: BankAccount) -> str:
    """Return an account as the office speaks of it: the bank and the last digits."""
    bank = bank_by_bin(account.bank_bin)
    return f"{bank.short_name if bank else account.bank_bin} …{account.number[-4:]}"


def _told(error: HocphiError) -> HocphiError:
    """Give an error with bad cells the form in which pages list them."""
    problems = error.facts.get("problems")
    return BadRows(error.message, problems) if isinstance(problems, list) else error


def _account(session: Session, account: BankAccount) -> StatementAccount:
    last = session.exec(
        select(col(StatementFile.last_day))
        .where(StatementFile.school_id == account.school_id, StatementFile.bank_account_id == account.id)
        .order_by(col(StatementFile.last_day).desc())
        .limit(1),
    ).first()
    difference = None if last is None else bank_net(session, account, last) - book_net(session, account, last)
    return StatementAccount(str(account.id), account_name(account), account.told_by == "statement", last, difference)


def _file(file: StatementFile, account: str, reader: str) -> StatementFileRow:
    return StatementFileRow(
        account,
        file.first_day,
        file.last_day,
        file.opening,
        file.money_in,
        file.money_out,
        file.closing,
        file.read_at,
        reader,
    )


def _preview(upload: StatementUpload, account: BankAccount, read: Preview, typed: TypedHow) -> StatementPreview:
    statement = read.statement
    return StatementPreview(
        upload_id=str(upload.id),
        name=upload.name,
        account=account_name(account),
        bank=statement.bank,
        period=statement.days or statement.period,
        lines=len(statement.lines),
        new=len(statement.lines) - read.known,
        known=read.known,
        opening=statement.opening,
        closing=statement.closing,
        money_in=statement.money_in,
        money_out=statement.money_out,
        balanced=read.balanced,
        explained=bool(typed.columns),
        digest=read.digest,
        no_account=Doubt.NO_ACCOUNT in read.doubts,
        other_bank=Doubt.OTHER_BANK in read.doubts,
        shown=tuple(ShownLine(line.day, line.signed, line.memo) for line in statement.lines[:_LINES]),
        gaps=read.gaps,
    )


def _heading(unknown: Unknown, typed: TypedHow) -> int:
    """Return the heading row counted from 0: the chosen one, or the likely one."""
    if not typed.heading:
        return unknown.heading
    if not (typed.heading.isascii() and typed.heading.isdigit() and 1 <= int(typed.heading[:6]) <= len(unknown.rows)):
        raise Refused("Hãy chọn dòng tiêu đề của bảng.")
    return int(typed.heading) - 1


def _to_explain(
    vault: Vault, upload: StatementUpload, account: BankAccount, typed: TypedHow, error: HocphiError | None
) -> StatementToExplain:
    unknown = rows_to_explain(vault, upload)
    heading = _heading(unknown, typed)
    problems = error.facts.get("problems") if error is not None else None
    return StatementToExplain(
        upload_id=str(upload.id),
        name=upload.name,
        account=account_name(account),
        heading=heading + 1,
        headings=tuple(_headings(unknown)),
        columns=tuple(_columns(unknown, heading, typed.columns)),
        problem="" if error is None else error.message,
        problems=tuple(problems) if isinstance(problems, list) else (),
    )


def _headings(unknown: Unknown) -> Iterator[tuple[int, str]]:
    for place, row in enumerate(unknown.rows):
        cells = [text for cell in row if (text := clean(cell))]
        if cells:
            yield place + 1, " · ".join(cells)[:90]


def _columns(unknown: Unknown, heading: int, chosen: Sequence[str]) -> Iterator[ColumnToExplain]:
    row = unknown.rows[heading] if unknown.rows else ()
    guesses = guessed(row)
    for place, cell in enumerate(row):
        below = [text for each in unknown.rows[heading + 1 :] if place < len(each) and (text := clean(each[place]))]
        word = chosen[place] if place < len(chosen) else guesses.get(place, "")
        letter = cell_name(0, place).rstrip("1")
        yield ColumnToExplain(letter, clean(cell)[:60], tuple(text[:40] for text in below[:_SAMPLES]), word)
