"""The desk of the people's queue on rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from billing.errors import BadRows, NotFound, Refused
from billing.money import ZERO, Money, total
from billing.payments.receipts import school_year_of
from billing.people.kinship import own_family
from billing.people.known import Known, pupils_of
from billing.people.names import sort_key
from billing.people.sheet_pupils import read_pupils
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment
from reconciliation.matching import POSTING
from reconciliation.queue import assigning, in_bulk, many_to_one, retrying, undoing
from reconciliation.queue.carrying_out import balances_of
from reconciliation.queue.looking import look
from reconciliation.queue.open_bills import open_bills_of
from reconciliation.queue.pieces import Piece
from reconciliation.queue.sharing import (
    AUTO,
    CREDIT,
    OpenBill,
    Share,
    digest_of,
    equal_shares,
    pieces_from,
    shares_of_class,
)
from reconciliation.queue.split_lists import read_split_sheet, read_split_text, write_split_sheet
from reconciliation.queue.standing import Seen, find_act, open_acts, seen_of_many
from reconciliation.tables import Transfer
from service.access.roles import Place, SignedIn
from service.access.tables import User
from service.pages import queue_rows, waiting_rows
from service.pages.pupil_search import search_pupils
from service.pages.queue_act_views import ActRow
from service.pages.queue_rows import bill_numbers, goes_in_words
from service.pages.queue_views import (
    NO_MONEY,
    BulkPage,
    BulkRow,
    Confirmed,
    PartRow,
    Preview,
    PupilHit,
    TogetherPage,
    TransferPage,
    TypedShare,
    TypedSplit,
    WaitingList,
)
from service.pages.typed import read_id, read_money, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BELLS = ("notifications.plan", "ledger.seal")
_OpenBills = dict[UUID, list[OpenBill]]


class QueueRows(RowsWithin):
    """The people's queue, answered from rows."""

    def waiting(self, who: SignedIn, place: Place, words: str = "") -> WaitingList:
        """Return the transfers that wait for a person."""
        del who
        return waiting_rows.waiting_list(self._within(place), place.id, words)

    def matched(self, who: SignedIn, place: Place, words: str) -> WaitingList:
        """Return transfers that were booked lately."""
        del who
        return waiting_rows.matched_list(self._within(place), place.id, words)

    def waiting_transfer(self, who: SignedIn, place: Place, transfer_id: UUID, words: str = "") -> TransferPage:
        """Return one transfer."""
        session = self._within(place)
        known = pupils_of(session, place.id)
        return queue_rows.transfer_page(session, place.id, who.user_id, transfer_id, known, words)

    def preview_split(self, who: SignedIn, place: Place, transfer_id: UUID, split: TypedSplit) -> Preview:
        """Return what a split would store."""
        self._allow_long_work()
        session = self._within(place)
        transfer, row = waiting_rows.one_row(session, place.id, transfer_id)
        free = transfer.state == "waiting" and not row.asked_by
        try:
            lines = self._lines(place, transfer, split)
        except BadRows as error:
            return Preview(row, (), "", plain=False, error=error.message, problems=tuple(error.problems), open=free)
        shares = [line.share for line in lines]
        bills = open_bills_of(session, place.id, {share.pupil_id for share in shares}, transfer.bank_account_id)
        known = pupils_of(session, place.id)
        parts = tuple(_part(line, bills, known) for line in lines)
        pieces = pieces_from(shares, bills)
        plain = bool(pieces) and self._is_plain(place, transfer, pieces)
        hits = search_pupils(session, place.id, known, split.words, transfer.bank_account_id)
        kin = own_family(session, who.user_id).intersection(share.pupil_id for share in shares)
        own = tuple(f"{known[pupil].name} · {known[pupil].class_name}" for pupil in sorted(kin))
        digest, words = digest_of(pieces), split.words
        return Preview(row, parts, digest, plain, split.reason, open=free, words=words, hits=hits, own=own)

    def assign_transfer(self, who: SignedIn, place: Place, confirmed: Confirmed, now: datetime) -> bool:
        """Assign; tell whether it is carried out."""
        self._allow_long_work()
        session = self._within(place)
        transfer, _ = waiting_rows.one_row(session, place.id, confirmed.transfer_id)
        pieces = self._pieces(place, transfer, confirmed.split)
        if confirmed.digest and confirmed.digest != digest_of(pieces):
            raise Refused("Các phần đã khác với lúc xem trước. Chưa ghi gì; hãy xem lại rồi bấm ghi lần nữa.")
        wanted = assigning.Wanted(transfer.id, pieces, Seen.read(confirmed.seen), confirmed.split.reason)
        with self._whole():
            assigning.assign(session, self._wiring.vault, self._looks(who, place), place.id, wanted, now)
        session.refresh(transfer)
        if transfer.state != "matched":
            return False
        self.bells.extend(_BELLS)
        return True

    def retry_transfer(self, who: SignedIn, place: Place, transfer_id: UUID, seen: str, now: datetime) -> bool:
        """Ask the matcher again."""
        session, actor = self._within(place), self._looks(who, place)
        with self._whole():
            found = retrying.retry(session, self._wiring.vault, actor, place.id, transfer_id, Seen.read(seen), now)
        self.bells.extend(_BELLS)
        transfer, _ = waiting_rows.one_row(session, place.id, transfer_id)
        return found.outcome in POSTING and transfer.state == "matched"

    def comment_transfer(self, who: SignedIn, place: Place, transfer_id: UUID, words: str, now: datetime) -> None:
        """Write a comment."""
        retrying.comment(self._within(place), self._looks(who, place), place.id, transfer_id, words, now)

    def undo_transfer(  # noqa: PLR0913, PLR0917  who wants what undone, having seen what, why
        self, who: SignedIn, place: Place, transfer_id: UUID, seen: str, reason: str, now: datetime
    ) -> None:
        """Ask for a match to be undone."""
        self._allow_long_work()
        session, actor = self._within(place), self._looks(who, place)
        with self._whole():
            undoing.ask_undo(session, actor, place.id, transfer_id, Seen.read(seen), reason, now)

    def open_acts(self, who: SignedIn, place: Place) -> tuple[ActRow, ...]:
        """Return the acts that wait for a second person."""
        session = self._within(place)
        return queue_rows.act_rows(session, place.id, who.user_id, pupils_of(session, place.id))

    def agree_act(self, who: SignedIn, place: Place, act_id: UUID, now: datetime) -> None:
        """Agree to an act of another."""
        self._allow_long_work()
        session, actor = self._within(place), self._looks(who, place)
        with self._whole():
            if find_act(session, place.id, act_id).kind == "undo":
                undoing.agree_undo(session, actor, place.id, act_id, now)
            else:
                assigning.agree(session, actor, place.id, act_id, now)
        self.bells.extend(_BELLS)

    def refuse_act(self, who: SignedIn, place: Place, act_id: UUID, reason: str, now: datetime) -> None:
        """Refuse an act, or withdraw one's own."""
        session = self._within(place)
        with self._whole():
            assigning.refuse(session, self._looks(who, place), place.id, act_id, reason, now)

    def bulk(self, who: SignedIn, place: Place, transfers: Sequence[UUID]) -> BulkPage:
        """Return what taking several transfers at once would do."""
        session = self._within(place)
        rows = () if transfers else waiting_rows.waiting_list(session, place.id).rows
        wanted = list(transfers) or [UUID(row.transfer_id) for row in rows if row.plain]
        run = in_bulk.dry_run(session, self._wiring.vault, self._looks(who, place), place.id, wanted)
        known = pupils_of(session, place.id)
        seen = seen_of_many(session, place.id, wanted)
        return BulkPage(
            tuple(_bulk(each, seen, known) for each in run.taken),
            tuple(_bulk(each, seen, known) for each in run.left),
            run.amount,
            run.digest,
        )

    def assign_bulk(
        self, who: SignedIn, place: Place, seen: Sequence[tuple[UUID, str]], digest: str, now: datetime
    ) -> int:
        """Take several transfers as the dry run showed."""
        session, actor = self._within(place), self._looks(who, place)
        was = {transfer: Seen.read(each) for transfer, each in seen}
        with self._whole():
            run = in_bulk.assign_plain(session, self._wiring.vault, actor, place.id, was, digest, now)
        self.bells.extend(_BELLS)
        return len(run.taken)

    def together(
        self, who: SignedIn, place: Place, transfers: Sequence[UUID], pupil_id: str, words: str
    ) -> TogetherPage:
        """Return what several transfers would pay for one pupil, or the pupils that words find."""
        del who
        session, chosen = self._within(place), tuple(str(each) for each in transfers)
        known, seen = pupils_of(session, place.id), seen_of_many(session, place.id, transfers)
        account = next(iter(waiting_rows.accounts_of(session, place.id, transfers)), None)
        if not pupil_id:
            hits = search_pupils(session, place.id, known, words, account) if account else ()
            return TogetherPage(chosen, (), (), NO_MONEY, words=words, hits=hits)
        pupil = known.get(read_id(pupil_id))
        if pupil is None:
            raise NotFound("Trường không có học sinh này.")
        run = many_to_one.plan_together(session, place.id, pupil.pupil_id, transfers)
        numbers = bill_numbers(session, place.id, [piece for each in run.taken for piece in each.pieces])
        taken = tuple(replace(_bulk(each, seen, known), goes=goes_in_words(each.pieces, numbers)) for each in run.taken)
        left = tuple(_bulk(each, seen, known) for each in run.left)
        hit = PupilHit(str(pupil.pupil_id), pupil.name, pupil.code, pupil.class_name, NO_MONEY)
        return TogetherPage(chosen, taken, left, run.amount, run.digest, pupil=hit)

    def assign_together(  # noqa: PLR0913, PLR0917  who gives what to whom, as shown, why and when
        self,
        who: SignedIn,
        place: Place,
        pupil_id: str,
        seen: Sequence[tuple[UUID, str]],
        digest: str,
        reason: str,
        now: datetime,
    ) -> int:
        """Assign several transfers to one pupil."""
        session, actor, vault = self._within(place), self._looks(who, place), self._wiring.vault
        was = {transfer: Seen.read(each) for transfer, each in seen}
        with self._whole():
            acts = many_to_one.assign_together(
                session, vault, actor, place.id, read_id(pupil_id), was, digest, reason, now
            )
        self.bells.extend(_BELLS)
        waiting = {act.id for act in open_acts(session, place.id)}
        return sum(act.id in waiting for act in acts)

    def split_sheet(self, who: SignedIn, place: Place, transfer_id: UUID, class_id: str) -> Download:
        """Return the sheet of a class to fill in."""
        del who
        session = self._within(place)
        transfer, _ = waiting_rows.one_row(session, place.id, transfer_id)
        chosen = self._class(place, class_id)
        everybody = read_pupils(session, place.id, chosen.school_year)
        pupils = [each for each in everybody.by_enrolment.values() if each.class_code == chosen.code and each.newest]
        pupils.sort(key=lambda each: sort_key(each.full_name))
        return Download(write_split_sheet(pupils, {}), _XLSX, f"Chia {transfer.amount.dong} {chosen.code}.xlsx")

    def user_name(self, user_id: UUID | None) -> str:
        """Return who somebody is."""
        found = self._session.get(User, user_id) if user_id is not None else None
        return found.full_name if found else "hệ thống"

    def _pieces(self, place: Place, transfer: Transfer, split: TypedSplit) -> list[Piece]:
        shares = self._shares(place, transfer, split)
        pupils = {share.pupil_id for share in shares}
        return pieces_from(shares, open_bills_of(self._session, place.id, pupils, transfer.bank_account_id))

    def _is_plain(self, place: Place, transfer: Transfer, pieces: list[Piece]) -> bool:
        session = self._session
        seen, balances = look(session, self._wiring.vault, transfer), balances_of(session, place.id, pieces)
        return assigning.is_plain(session, transfer, seen, pieces, balances)

    def _shares(self, place: Place, transfer: Transfer, split: TypedSplit) -> list[Share]:
        """Return the shares of a split; raises ``BadRows``, or ``Refused`` for the first line that cannot be read."""
        lines = self._lines(place, transfer, split)
        for line in lines:
            if line.wrong:
                raise Refused(line.wrong)
        return [line.share for line in lines]

    def _lines(self, place: Place, transfer: Transfer, split: TypedSplit) -> list[_Line]:
        """Return the lines of a split, wherever they come from; typed ones that cannot be read say so."""
        if split.sheet or split.text.strip() or split.class_id:
            return [_Line(share) for share in self._listed(place, transfer, split)]
        lines = [_line(typed, transfer.amount) for typed in split.shares]
        if split.add and read_id(split.add) not in {line.share.pupil_id for line in lines}:
            lines.append(self._one_more(place, transfer, split.add, lines))
        return lines

    def _one_more(self, place: Place, transfer: Transfer, pupil_id: str, lines: Sequence[_Line]) -> _Line:
        """Return a line for one more pupil: over what is open for it, or else over what is left to give."""
        pupil = read_id(pupil_id)
        bills = open_bills_of(self._session, place.id, {pupil}, transfer.bank_account_id)[pupil]
        given = total(line.share.amount for line in lines)
        left = transfer.amount - min(given, transfer.amount)
        return _Line(Share(pupil, total(bill.rest for bill in bills if bill.here) or left))

    def _listed(self, place: Place, transfer: Transfer, split: TypedSplit) -> list[Share]:
        """Return the shares of a sheet, a pasted list or a class; raises ``BadRows``."""
        session, year = self._session, school_year_of(school_day(self._wiring.clock()))
        if split.sheet:
            return read_split_sheet(session, place.id, year, split.sheet)
        if split.text.strip():
            return read_split_text(session, place.id, year, split.text)
        pupils = self._pupils_of_class(place, split.class_id)
        if split.equal:
            return equal_shares(pupils, transfer.amount)
        bills = open_bills_of(session, place.id, pupils, transfer.bank_account_id)
        return shares_of_class(pupils, bills, transfer.amount)

    def _class(self, place: Place, class_id: str) -> ClassGroup:
        found = self._session.exec(
            select(ClassGroup).where(ClassGroup.school_id == place.id, ClassGroup.id == read_id(class_id))
        ).one_or_none()
        if found is None:
            raise NotFound("Trường không có lớp này.")
        return found

    def _pupils_of_class(self, place: Place, class_id: str) -> list[UUID]:
        """Return who is in a class now, in the order of its list."""
        group, today = self._class(place, class_id), school_day(self._wiring.clock())
        rows = self._session.exec(
            select(Enrolment.pupil_id)
            .join(
                ClassPlacement,
                (col(ClassPlacement.school_id) == Enrolment.school_id)
                & (col(ClassPlacement.enrolment_id) == Enrolment.id),
            )
            .where(
                Enrolment.school_id == place.id,
                ClassPlacement.class_id == group.id,
                col(ClassPlacement.valid_to).is_(None) | (col(ClassPlacement.valid_to) >= today),
                col(Enrolment.ended_on).is_(None) | (col(Enrolment.ended_on) >= today),
            )
        ).all()
        known = pupils_of(self._session, place.id)
        return sorted(set(rows), key=lambda pupil: sort_key(known[pupil].name))


@dataclass(frozen=True, slots=True)
class _Line:
    """A share as it was typed; ``wrong`` says why its sum cannot be read (then the share is over nothing)."""

    share: Share
    typed: str = ""
    wrong: str = ""


def _line(typed: TypedShare, whole: Money) -> _Line:
    """Return a typed line; without a sum it is the whole transfer."""
    pupil = read_id(typed.pupil_id)
    into = typed.into if typed.into in {AUTO, CREDIT} else str(read_id(typed.into))
    try:
        return _Line(Share(pupil, read_money(typed.amount) if typed.amount.strip() else whole, into))
    except Refused as error:
        return _Line(Share(pupil, ZERO, into), typed.amount, error.message)


def _part(line: _Line, bills: _OpenBills, known: dict[UUID, Known]) -> PartRow:
    share = line.share
    found = known.get(share.pupil_id)
    if found is None:
        raise NotFound("Trường không có học sinh này.")
    own = bills.get(share.pupil_id, [])
    goes = goes_in_words(pieces_from([share], bills), {bill.bill_id: bill.number for bill in own})
    choices = tuple((str(bill.bill_id), f"{bill.number} · còn {bill.rest}") for bill in own)
    return PartRow(
        str(share.pupil_id),
        found.name,
        found.class_name,
        share.amount,
        share.into,
        choices,
        goes,
        line.typed,
        line.wrong,
    )


def _bulk(planned: in_bulk.Planned, seen: dict[UUID, Seen], known: dict[UUID, Known]) -> BulkRow:
    transfer = planned.transfer
    pupils = {piece.pupil_id for piece in planned.pieces}
    names = ", ".join(f"{known[pupil].name} · {known[pupil].class_name}" for pupil in pupils if pupil in known)
    return BulkRow(str(transfer.id), str(seen[transfer.id]), transfer.amount, transfer.memo, names, planned.why_not)
