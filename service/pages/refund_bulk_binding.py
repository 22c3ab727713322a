"""The desk of the pages of refunds in bulk, on rows."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Deed, record_deed
from billing.credits.choosing import Choice, class_of_pupils, wanted_in_bulk
from billing.credits.paying_out import states_of
from billing.credits.receiving import accounts_of, guardian_payee
from billing.credits.receiving_tables import RefundBatch, RefundGround
from billing.credits.refunding import About, Wanted, ask_refund, lines_of
from billing.documents.cash_sheet_pdf import cash_sheet_pdf
from billing.documents.refund_batches import batches_of, make_batch, open_batch, overtaken_lines
from billing.errors import Conflict, NotFound, Refused
from billing.money import total
from billing.people.kinship import own_family
from billing.people.tables import ClassGroup
from billing.plans.papers import read_paper
from billing.rounds.tables import BillingRound
from billing.vault import Vault
from service.access.roles import Actor, Place, SignedIn
from service.access.tables import User
from service.pages import credit_rows, refund_rows
from service.pages.refund_bulk_views import (
    BatchRow,
    BulkPage,
    BulkQuery,
    GroundRow,
    LeftOut,
    Papers,
    TypedGround,
    digest_of,
)
from service.pages.typed import read_day, read_id, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin

PAPER_CONTEXT = "refund_grounds.paper"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_OWN = "có con em trong nhà của bạn; nhờ đồng nghiệp lập"
_NO_ACCOUNT = "phụ huynh chưa nhập tài khoản nhận tiền"


class RefundBulkRows(RowsWithin):
    """Refunds in bulk, answered from rows."""

    def bulk_page(self, who: SignedIn, place: Place, query: BulkQuery, now: datetime) -> BulkPage:
        """Return what a request in bulk would hold."""
        session = self._within(place)
        wanted, seen, left_out = self._sorted(session, who, place.id, query, now)
        about, whole = _about(session, place.id, query), total(each.amount for each in wanted)
        return BulkPage(query, about, len(wanted), whole, left_out, seen)

    def ask_in_bulk(  # noqa: PLR0913, PLR0917  what was chosen, seen and typed
        self, who: SignedIn, place: Place, query: BulkQuery, seen: str, reason: str, ground: TypedGround, now: datetime
    ) -> UUID:
        """Ask for what was seen."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        wanted, found, _ = self._sorted(session, who, place.id, query, now)
        if not wanted:
            raise Refused("Không học sinh nào trong phạm vi đã chọn còn tiền tồn của khoản này để hoàn.")
        if seen != found:
            raise Conflict(
                "Danh sách đã thay đổi từ lúc xem thử: học sinh, số tiền hoặc tài khoản nhận. Xin xem lại rồi xác nhận."
            )
        choice = _choice(query)
        about = About(choice.item_code, choice.class_id, choice.round_id)
        refund = ask_refund(session, self._wiring.vault, actor, place.id, wanted, reason, now, about)
        if ground.given:
            session.add(_ground(self._wiring.vault, place.id, refund.id, ground))
            session.flush()
        return refund.id

    def refund_papers(self, who: SignedIn, place: Place, refund_id: UUID) -> Papers:
        """Return what stands behind and beside a refund."""
        del who
        session = self._within(place)
        refund = refund_rows.refund_of(session, place.id, refund_id)
        row, lines = session.get(RefundGround, refund_id), lines_of(session, refund)
        states = states_of(session, place.id, [line.id for line in lines])
        batches = batches_of(session, refund)
        moved = overtaken_lines(session, place.id, batches)
        return Papers(
            ground=GroundRow(row.number, row.issued_on, row.file_name) if row is not None else None,
            batches=tuple(_batch(session, each, len(moved.get(each.id, ()))) for each in batches),
            to_order=sum(line.way == "bank" and states[line.id].word == "approved" for line in lines),
            cash=any(line.way == "cash" for line in lines),
        )

    def refund_ground(self, who: SignedIn, place: Place, refund_id: UUID, now: datetime) -> Download:
        """Return the paper of the decision."""
        session = self._within(place)
        refund_rows.refund_of(session, place.id, refund_id)
        row = session.get(RefundGround, refund_id)
        if row is None:
            raise NotFound("Đề nghị này không theo quyết định nào.", refund=refund_id)
        deed = Deed(place.id, "refund.open_ground", "refund", str(refund_id))
        record_deed(session, self._looks(who, place), deed, now)
        content = self._wiring.vault.open_bytes(row.content_sealed, PAPER_CONTEXT)
        return Download(content, row.media_type, row.file_name)

    def make_batch(self, who: SignedIn, place: Place, refund_id: UUID, day: str, now: datetime) -> None:
        """Make the bank's file."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        ordered = read_day(day)
        if ordered is None:
            raise Refused("Hãy chọn ngày lệnh chuyển: ngày đưa tệp này cho ngân hàng.")
        refund = refund_rows.refund_of(session, place.id, refund_id)
        make_batch(session, self._wiring.vault, actor, refund, ordered, now)

    def bank_batch(  # noqa: PLR0913, PLR0917  which file, in which layout
        self, who: SignedIn, place: Place, refund_id: UUID, batch_id: UUID, layout: str, now: datetime
    ) -> Download:
        """Return a file as it was made."""
        session, actor = self._within(place), self._looks(who, place)
        refund = refund_rows.refund_of(session, place.id, refund_id)
        content = open_batch(session, self._wiring.vault, actor, refund, batch_id, layout, now)
        media_type = "text/csv; charset=utf-8" if layout == "csv" else _XLSX
        return Download(content, media_type, f"Lệnh chuyển {str(batch_id)[-6:]}.{layout}")

    def cash_sheet(self, who: SignedIn, place: Place, refund_id: UUID, now: datetime) -> Download:
        """Return the sheet on which families sign."""
        session = self._within(place)
        content = cash_sheet_pdf(refund_rows.payout_list(session, self._wiring.vault, place.id, refund_id, now))
        deed = Deed(place.id, "refund.open_sheet", "refund", str(refund_id))
        record_deed(session, self._looks(who, place), deed, now)
        return Download(content, "application/pdf", f"Ký nhận tiền hoàn {school_day(now):%d-%m-%Y}.pdf")

    def _sorted(
        self, session: Session, who: SignedIn, school_id: UUID, query: BulkQuery, now: datetime
    ) -> tuple[list[Wanted], str, tuple[LeftOut, ...]]:
        """Return the lines of a request in bulk with the name of just these (``digest_of``), and whom it leaves out.

        Left out are the asker's own family and, by bank, whose guardian entered no account.
        """
        found = wanted_in_bulk(session, school_id, _choice(query), school_day(now))
        pupils = {each.pupil_id for each in found}
        own = own_family(session, who.user_id)
        accounts = accounts_of(session, school_id, pupils, school_day(now)) if query.way == "bank" else {}
        names, groups = credit_rows.names_of(session, pupils), class_of_pupils(session, school_id, school_day(now))
        wanted, left_out = [], []
        for each in found:
            why = _OWN if each.pupil_id in own else ""
            if not why and query.way == "bank" and each.pupil_id not in accounts:
                why = _NO_ACCOUNT
            if why:
                group = groups.get(each.pupil_id)
                name = names.get(each.pupil_id, "?")
                left_out.append(LeftOut(name, group.code if group else "", each.amount, why))
            elif query.way == "bank":
                payee = guardian_payee(self._wiring.vault, accounts[each.pupil_id])
                wanted.append(Wanted(each.pupil_id, each.item_code, each.amount, payee))
            else:
                wanted.append(each)
        rows = {pupil: row.id for pupil, row in accounts.items()}
        seen = digest_of((each.pupil_id, each.item_code, each.amount, rows.get(each.pupil_id)) for each in wanted)
        return wanted, seen, tuple(sorted(left_out, key=lambda row: (row.class_name, row.pupil)))


def _batch(session: Session, batch: RefundBatch, overtaken: int) -> BatchRow:
    by = session.get_one(User, batch.made_by).full_name
    return BatchRow(str(batch.id), batch.lines, batch.amount, by, batch.made_at, overtaken)


def _choice(query: BulkQuery) -> Choice:
    return Choice(
        item_code=credit_rows.item_of(query.item),
        class_id=read_id(query.class_id) if query.class_id else None,
        round_id=read_id(query.round_id) if query.round_id else None,
    )


def _about(session: Session, school_id: UUID, query: BulkQuery) -> str:
    names = credit_rows.item_names(session, school_id)
    choice = _choice(query)
    group = session.get(ClassGroup, choice.class_id) if choice.class_id else None
    billing_round = session.get(BillingRound, choice.round_id) if choice.round_id else None
    parts = (
        credit_rows.item_name(names, choice.item_code),
        f"lớp {group.code}" if group is not None else "mọi lớp",
        billing_round.name if billing_round is not None else "",
    )
    return " · ".join(part for part in parts if part)


def _ground(vault: Vault, school_id: UUID, refund_id: UUID, typed: TypedGround) -> RefundGround:
    """Return the row of a decision; raises ``Refused`` when its number, day or paper is missing."""
    day = read_day(typed.day)
    if not typed.number or day is None or not typed.content:
        raise Refused("Hoàn theo quyết định, kết luận thanh tra: cần đủ số, ngày và tệp của văn bản.")
    paper = read_paper(typed.file_name, typed.content)
    return RefundGround(
        refund_id=refund_id,
        school_id=school_id,
        number=typed.number,
        issued_on=day,
        file_name=paper.name,
        media_type=paper.media_type,
        content_sealed=vault.seal_bytes(paper.content, PAPER_CONTEXT),
        sha256=hashlib.sha256(paper.content).digest(),
    )
