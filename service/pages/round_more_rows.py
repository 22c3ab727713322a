"""What stands under a round's head, from what was kept when it was calculated and from the rows of its bills."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.instalments import shares_from
from billing.fees.preview import MUST_CONFIRM, OddityKind
from billing.money import Money
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil
from billing.rounds.calculating import late_arrivals
from billing.rounds.choosing_late import late_pupils, waits
from billing.rounds.correcting import open_corrections
from billing.rounds.tables import ISSUED_STATES, BillingRound
from service.pages.item_rows import own_accounts
from service.pages.round_views import AgainstLast, ItemTotals, OddGroup, OddPupil, PayerTotals, RoundMore

MOST_IN_A_GROUP = 50
# What the groups are called and what to do about them, in the order in which they are shown.
_GROUPS: dict[str, tuple[str, str]] = {
    OddityKind.NO_CLASS: ("Chưa xếp lớp, chưa được tính", "Nhập lại danh sách học sinh có mã lớp, rồi tính lại."),
    OddityKind.WAITING_REDUCTION: ("Có miễn giảm chờ duyệt", "Nhờ người duyệt quyết định trước, rồi tính lại."),
    OddityKind.EMPTY: ("Không có khoản thu nào", "Kiểm tra khoản thu của khối, lớp và đăng ký của các em."),
    OddityKind.ZERO: ("Không phải nộp", "Đúng thì không cần làm gì: các em không nhận thông báo, không có mã QR."),
    OddityKind.JUMP: ("Thay đổi nhiều so với đợt trước", "Mở từng em để xem vì sao."),
    OddityKind.NO_CONTACT: (
        "Chưa có số điện thoại hoặc e-mail",
        "In giấy báo cho các em này, hoặc nhập danh sách liên hệ.",
    ),
}


def round_more(session: Session, billing_round: BillingRound, viewer: UUID) -> RoundMore:
    """Return totals, differences and oddities of a round, and what may be done with it."""
    kept = billing_round.preview
    issued = billing_round.state in ISSUED_STATES
    regular = issued and billing_round.base_round_id is None
    after = late_pupils(session, billing_round.id) if regular else ()
    open_ones = open_corrections(session, billing_round.school_id) if issued else []
    return RoundMore(
        code=billing_round.code,
        days=f"{billing_round.period_from:%d/%m/%Y} – {billing_round.period_to:%d/%m/%Y}",
        meal_days=len(billing_round.meal_days),
        kind=billing_round.kind,
        base=_base(session, billing_round),
        totals=_totals(kept["totals"]) if kept.get("totals") else None,
        items=tuple(_items(session, billing_round)),
        codes=tuple({str(item["code"]): str(item["name"]) for item in kept.get("items", [])}.items()),
        against_last=_against_last(kept.get("difference")),
        odd=tuple(_odd_groups(session, billing_round)),
        shares=tuple((share.percent, share.due_on) for share in shares_from(billing_round.instalments)),
        own=billing_round.made_by == viewer,
        locked_by_me=billing_round.locked_by == viewer,
        late=len(late_arrivals(session, billing_round.id)) if regular else 0,
        corrections=sum(each.round_id == billing_round.id for each in open_ones),
        leftover=_leftover(kept.get("leftover", {})),
        came_after=(len(after), waits(after)),
    )


def _leftover(kept: Mapping[str, int]) -> tuple[int, Money]:
    return kept.get("pupils", 0), Money(kept.get("amount", 0))


def _base(session: Session, billing_round: BillingRound) -> tuple[str, str] | None:
    if billing_round.base_round_id is None:
        return None
    base = session.get(BillingRound, billing_round.base_round_id)
    return None if base is None else (str(base.id), base.name)


def _totals(kept: dict[str, Any]) -> PayerTotals:
    return PayerTotals(*(Money(int(kept[name])) for name in ("gross", "family", "state", "school", "donor")))


def _items(session: Session, billing_round: BillingRound) -> Iterator[ItemTotals]:
    accounts = dict(own_accounts(session, billing_round.school_id))
    for item in billing_round.preview.get("items", []):
        totals = item["totals"]
        account = accounts.get(str(item["account"]), "")
        yield ItemTotals(str(item["name"]), account, int(totals["pupils"]), int(item["quantity"]), _totals(totals))


def _against_last(kept: dict[str, Any] | None) -> AgainstLast | None:
    """Return the difference; nothing before the first round, when everything is new."""
    if not kept or not (kept["changed"] or kept["gone"] or kept["was"]):
        return None
    return AgainstLast(
        Money(int(kept["was"])), Money(int(kept["now"])), len(kept["new"]), len(kept["gone"]), len(kept["changed"])
    )


def _odd_groups(session: Session, billing_round: BillingRound) -> Iterator[OddGroup]:
    kinds: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for oddity in billing_round.preview.get("oddities", []):
        if oddity.get("pupil") and oddity["kind"] not in MUST_CONFIRM:
            kinds[oddity["kind"]].append(oddity)
    names = names_of(session, billing_round, {UUID(each["pupil"]) for found in kinds.values() for each in found})
    for kind in sorted(kinds, key=lambda each: list(_GROUPS).index(each) if each in _GROUPS else len(_GROUPS)):
        title, advice = _GROUPS.get(kind, ("Điều khác", "Mở từng em để xem."))
        pupils = [_odd_pupil(each, names) for each in kinds[kind]]
        pupils.sort(key=lambda pupil: (pupil.class_name, sort_key(pupil.name)))
        yield OddGroup(title, advice, len(pupils), tuple(pupils[:MOST_IN_A_GROUP]))


def _odd_pupil(oddity: dict[str, Any], names: dict[UUID, tuple[str, str]]) -> OddPupil:
    name, class_name = names.get(UUID(oddity["pupil"]), ("?", ""))
    return OddPupil(str(oddity["pupil"]), name, class_name, str(oddity["text"]))


def names_of(session: Session, billing_round: BillingRound, pupils: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """Return name and class (the last one within the round's days) of pupils."""
    names = dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())
    classes = class_codes(session, billing_round.school_id, pupils, billing_round.period_to)
    return {pupil: (name, classes.get(pupil, "")) for pupil, name in names.items()}


def class_codes(session: Session, school_id: UUID, pupils: Collection[UUID], until: date) -> dict[UUID, str]:
    """Return the last class of pupils at a school up to a day."""
    rows = session.exec(
        select(col(Enrolment.pupil_id), col(ClassGroup.code))
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(
            Enrolment.school_id == school_id,
            col(Enrolment.pupil_id).in_(pupils),
            ClassPlacement.valid_from <= until,
        )
        .order_by(col(ClassPlacement.valid_from))
    ).all()
    return dict(rows)
