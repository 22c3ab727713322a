"""The pages of the State's money, from rows of one school."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, func, select

from billing.claims import booking, paying_out
from billing.claims.claiming import OPEN, claim_lines, claims_of, find_claim, matches, recalculate
from billing.claims.entitling import entitlements_of
from billing.claims.learners import right_of
from billing.claims.months import Difference
from billing.claims.tables import Entitlement, StateClaim
from billing.errors import NotFound
from billing.fees.council_rates import KIND_NAMES, CouncilRate, RateKind, national_rates
from billing.fees.items import LEVEL_NAMES, Ownership
from billing.fees.places import Located
from billing.fees.placing import read_places
from billing.fees.support import PAYEE_NAMES, payee_on, read_choices, read_rates
from billing.money import Money, total
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, School
from service.access.tables import User
from service.pages.claims_views import (
    Came,
    ChoiceRow,
    ClaimLineRow,
    ClaimPage,
    ClaimRow,
    EntitlementRow,
    EntitlementsPage,
    PayoutLine,
    PayoutPage,
    RateRow,
    StateMoneyPage,
    StatePaymentRow,
)
from service.pages.reduction_rows import pupil_hits, reduction_form

PAGE_SIZE = 100
_NO_CODES = ("", "", "")


def state_money_page(session: Session, school_id: UUID, today: date) -> StateMoneyPage:
    """Return rates, lists, and to whom support goes."""
    school = session.exec(select(School).where(School.id == school_id)).one()
    claims = claims_of(session, school_id)
    choices = read_choices(session, school_id)
    names = _user_names(session, [*(each.made_by for each in claims), *(each.made_by for each in choices)])
    private = school.kind == Ownership.PRIVATE
    kinds = (RateKind.SUPPORT if private else RateKind.TUITION, RateKind.LEARNING)
    rates, places = read_rates(session, school.province_id), read_places(session, school_id)
    waiting = [each for each in entitlements_of(session, school_id) if each.approved_at is None]
    return StateMoneyPage(
        claims=tuple(_claim_row(claim, names) for claim in claims),
        rates=tuple(_rate_row(rate) for rate in rates if _fits(rate, school, places, kinds)),
        choices=tuple(
            ChoiceRow(
                str(each.id),
                PAYEE_NAMES[each.payee],
                each.decision_number,
                each.decided_on,
                each.valid_from,
                each.approved_at is not None,
                names.get(each.made_by, ""),
            )
            for each in reversed(choices)
        ),
        private=private,
        payee_now=PAYEE_NAMES[payee_on(choices, today)],
        kinds=tuple((kind.value, KIND_NAMES[kind]) for kind in kinds),
        years=_years(session, school_id),
        codes=(claims[0].chapter_code, claims[0].category_code, claims[0].economic_code) if claims else _NO_CODES,
        budget_code=school.budget_code or "",
        entitlements_waiting=len(waiting),
    )


def claim_page(session: Session, school_id: UUID, claim_id: UUID, page: int) -> ClaimPage:
    """Return one list: an open one as it would be now, an approved one as it was written."""
    claim = claim_of(session, school_id, claim_id)
    lines, changed = _lines_now(session, claim)
    names = _pupil_names(session, {line.right.pupil_id for line in lines})
    rows = _line_rows(lines, names)
    approved = claim.approved_at is not None
    noted = [(UUID(note["pupil"]), note["text"]) for note in claim.notes.get("oddities", [])]
    named = _pupil_names(session, {pupil for pupil, _ in noted})
    people = _user_names(session, [each for each in (claim.made_by, claim.approved_by) if each])
    ways = ("treasury", "families") if claim.kind == RateKind.SUPPORT else tuple(booking.WAY_NAMES)
    owed = paying_out.payout_list(session, claim) if approved and claim.kind == RateKind.LEARNING else []
    return ClaimPage(
        row=_claim_row(claim, people),
        lines=rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        line_count=len(rows),
        number=page,
        pages=max(1, -(-len(rows) // PAGE_SIZE)),
        problems=tuple(f"{named.get(pupil, '?')}: {text}" for pupil, text in noted),
        digest=claim.digest.hex() if claim.digest else "",
        codes=(claim.chapter_code, claim.category_code, claim.economic_code),
        approver=people.get(claim.approved_by, "") if claim.approved_by else "",
        changed=changed,
        came=_came(session, claim) if approved else None,
        payments=tuple(
            StatePaymentRow(str(each.id), each.amount, each.paid_on, booking.WAY_NAMES[each.way], each.document)
            for each in booking.payments_of(session, claim)
        ),
        ways=tuple(
            (way, booking.WAY_NAMES[way]) for way in ways if claim.kind != RateKind.TUITION or way != "families"
        ),
        unpaid=sum(row.payout is None for row in owed),
    )


def payout_page(session: Session, school_id: UUID, claim_id: UUID, today: date) -> PayoutPage:
    """Return the payout list of an approved learning-cost list."""
    claim = claim_of(session, school_id, claim_id)
    if claim.kind != RateKind.LEARNING or claim.approved_at is None:
        raise NotFound("Danh sách này không có phần chi trả cho gia đình.", claim=claim_id)
    rows = paying_out.payout_list(session, claim)
    names = _pupil_names(session, {row.pupil_id for row in rows})
    lines = sorted((_payout_line(row, names) for row in rows), key=lambda line: (line.class_name, sort_key(line.pupil)))
    waiting = tuple(line for line in lines if not line.payout_id)
    paid = tuple(line for line in lines if line.payout_id)
    return PayoutPage(
        row=_claim_row(claim, _user_names(session, [claim.made_by])),
        waiting=waiting,
        paid=paid,
        waiting_sum=total(line.amount for line in waiting),
        paid_sum=total(line.amount for line in paid),
        today=today,
    )


def payout_lists(session: Session, school_id: UUID) -> tuple[tuple[ClaimRow, int], ...]:
    """Return the approved learning-cost lists, newest first, and how many families of each have not been paid."""
    claims = [
        claim
        for claim in claims_of(session, school_id)
        if claim.kind == RateKind.LEARNING and claim.approved_at is not None
    ]
    names = _user_names(session, [claim.made_by for claim in claims])
    return tuple(
        (_claim_row(claim, names), sum(row.payout is None for row in paying_out.payout_list(session, claim)))
        for claim in claims
    )


def entitlements_page(  # noqa: PLR0913, PLR0917  whose page, and what is being looked for
    session: Session, school_id: UUID, user_id: UUID, words: str, chosen: UUID | None, today: date
) -> EntitlementsPage:
    """Return the rights of a school's pupils, with the form for a new one."""
    rows = entitlements_of(session, school_id)
    pupils = _enrolled(session, school_id, {row.enrolment_id for row in rows})
    makers = _user_names(session, [row.made_by for row in rows])
    made = [_entitlement_row(row, pupils[row.enrolment_id], makers, user_id) for row in rows]
    return EntitlementsPage(
        rows=tuple(sorted(made, key=lambda row: (row.approved, row.class_name, sort_key(row.pupil)))),
        classes=tuple((each.code, each.title) for each in national_rates().entitlements),
        words=words,
        hits=() if chosen else pupil_hits(session, school_id, words, today),
        chosen=reduction_form(session, school_id, chosen, today).pupil if chosen else None,
        first=today.replace(day=1),
    )


def claim_of(session: Session, school_id: UUID, claim_id: UUID) -> StateClaim:
    """Return a list of this school; raises ``NotFound`` for any other."""
    claim = find_claim(session, claim_id)
    if claim.school_id != school_id:
        raise NotFound("Không có danh sách này.", claim=claim_id)
    return claim


def people_of(session: Session, claim: StateClaim) -> tuple[str, str]:
    """Return the names of maker and approver, which stand under the list."""
    names = _user_names(session, [each for each in (claim.made_by, claim.approved_by) if each])
    return names.get(claim.made_by, ""), names.get(claim.approved_by, "") if claim.approved_by else ""


def _lines_now(session: Session, claim: StateClaim) -> tuple[Sequence[Difference], bool]:
    """Return the lines to show, and whether they are no longer what was worked out."""
    if claim.state not in OPEN:
        stored = claim_lines(session, claim)
        return [Difference(right_of(line), line.previous, line.revision) for line in stored], False
    if claim.digest is None:
        return [], False
    read, worked = recalculate(session, claim)
    return worked.lines, not matches(claim, read, worked)


def _line_rows(lines: Iterable[Difference], names: Mapping[UUID, str]) -> tuple[ClaimLineRow, ...]:
    groups: dict[tuple[UUID, UUID, str, int, str], list[Difference]] = defaultdict(list)
    for line in lines:
        right = line.right
        groups[right.pupil_id, right.enrolment_id, right.class_name, right.rate.dong, right.payee].append(line)
    rows = [
        ClaimLineRow(
            pupil=names.get(pupil, "?"),
            enrolment_id=str(enrolment),
            class_name=class_name,
            months=", ".join(f"{month:%m}" for month in sorted({each.right.month for each in found})),
            count=len({each.right.month for each in found}),
            rate=Money(rate),
            amount=total(each.amount for each in found),
            payee=PAYEE_NAMES[payee],
        )
        for (pupil, enrolment, class_name, rate, payee), found in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.class_name, sort_key(row.pupil), row.months)))


def _claim_row(claim: StateClaim, names: Mapping[UUID, str]) -> ClaimRow:
    return ClaimRow(
        claim_id=str(claim.id),
        kind=claim.kind,
        kind_name=KIND_NAMES[RateKind(claim.kind)],
        school_year=claim.school_year,
        instalment=claim.instalment,
        number=claim.number,
        state=claim.state,
        months=f"{claim.first_month:%m/%Y}–{claim.last_month:%m/%Y}",
        pupils=claim.pupils,
        total=claim.total,
        maker=names.get(claim.made_by, ""),
    )


def _came(session: Session, claim: StateClaim) -> Came:
    standing = booking.standing_of(session, claim)
    return Came(standing.to_school, standing.to_families, standing.paid_school, standing.paid_families, standing.rest)


def _fits(rate: CouncilRate, school: School, places: Sequence[Located], kinds: Sequence[RateKind]) -> bool:
    here = any(rate.zone in {"", each.zone} and rate.area in {"", each.area} for each in places)
    return here and rate.kind in kinds and rate.level.value in school.levels


def _rate_row(rate: CouncilRate) -> RateRow:
    place = " · ".join(each for each in (rate.zone, rate.area) if each)
    return RateRow(
        KIND_NAMES[rate.kind],
        LEVEL_NAMES[rate.level],
        place,
        rate.amount,
        rate.months,
        rate.legal_basis,
        rate.valid.start,
        rate.valid.end,
    )


def _payout_line(row: paying_out.PayoutRow, names: Mapping[UUID, str]) -> PayoutLine:
    plain = PayoutLine(str(row.pupil_id), names.get(row.pupil_id, "?"), row.class_name, row.months, row.amount)
    if row.payout is None:
        return plain
    paid = row.payout
    return PayoutLine(
        plain.pupil_id,
        plain.pupil,
        plain.class_name,
        plain.months,
        plain.amount,
        str(paid.id),
        paid.received_by,
        paid.received_on,
        paying_out.WAY_NAMES[paid.way],
        row.too_much,
    )


def _entitlement_row(
    row: Entitlement, pupil: tuple[str, str], makers: Mapping[UUID, str], user_id: UUID
) -> EntitlementRow:
    name, class_name = pupil
    return EntitlementRow(
        str(row.id),
        name,
        class_name,
        row.title,
        row.legal_basis,
        row.evidence,
        row.valid_from,
        row.valid_to,
        row.approved_at is not None,
        makers.get(row.made_by, ""),
        mine=row.made_by == user_id,
    )


def _years(session: Session, school_id: UUID) -> tuple[str, ...]:
    rows = session.exec(select(Enrolment.school_year).where(Enrolment.school_id == school_id).distinct()).all()
    return tuple(sorted(rows, reverse=True))


def _pupil_names(session: Session, ids: set[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(ids))).all())


def _user_names(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(set(ids)))).all())


def _enrolled(session: Session, school_id: UUID, ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
    """Return name and last class of these enrolments."""
    rows = session.exec(
        select(Enrolment.id, Pupil.full_name, func.coalesce(ClassGroup.code, ""))
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .outerjoin(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .outerjoin(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(Enrolment.school_id == school_id, col(Enrolment.id).in_(ids))
        .order_by(col(ClassPlacement.valid_from))
    ).all()
    return {enrolment: (name, class_name) for enrolment, name, class_name in rows}
