"""Whether a school takes cards for the bills of an account: asked by one, agreed to by another."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, NotFound, Refused
from billing.ledger.tables import BankAccount
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.vault import Vault
from billing.visible import is_blank
from reconciliation.cards.balances import other_currencies
from reconciliation.cards.tables import CardSwitch, CardSwitchDecision
from reconciliation.feeds.opening import secrets_of
from reconciliation.feeds.stripe import PROVIDER, SCHEME, is_test_key
from reconciliation.lists.base import LIST
from reconciliation.tables import Feed

_MOST_REASON = 300


def takes_cards(session: Session, school_id: UUID, account_id: UUID) -> bool:
    """Tell whether cards are offered for bills of an account: switched on by two, both feeds open, settled in đồng."""
    return (
        is_switched_on(session, school_id, account_id)
        and set(card_feeds(session, school_id, account_id)) == {SCHEME, LIST}
        and not other_currencies(session, school_id, account_id)
    )


def is_switched_on(session: Session, school_id: UUID, account_id: UUID) -> bool:
    """Tell what the newest approved decision says."""
    newest = (
        select(CardSwitch.turned_on)
        .join(CardSwitchDecision, col(CardSwitchDecision.switch_id) == col(CardSwitch.id))
        .where(
            CardSwitch.school_id == school_id,
            CardSwitch.bank_account_id == account_id,
            col(CardSwitchDecision.approved).is_(True),
        )
        .order_by(col(CardSwitchDecision.at).desc(), col(CardSwitch.id).desc())
    )
    return bool(session.exec(newest.limit(1)).first())


def card_feeds(session: Session, school_id: UUID, account_id: UUID) -> dict[str, Feed]:
    """Return the open Stripe feeds of an account by scheme: ``v1`` for webhooks, ``list`` with the API key."""
    feeds = session.exec(
        select(Feed).where(
            Feed.school_id == school_id,
            Feed.bank_account_id == account_id,
            Feed.provider == PROVIDER,
            col(Feed.closed_at).is_(None),
        )
    ).all()
    return {feed.scheme: feed for feed in feeds}


def live_mode(session: Session, vault: Vault, account: BankAccount) -> bool | None:
    """Tell whether the API key of an account takes real money; None where it never had one.

    The key that was given last counts, also after its feed was closed.
    """
    feed = session.exec(
        select(Feed)
        .where(
            Feed.school_id == account.school_id,
            Feed.bank_account_id == account.id,
            Feed.provider == PROVIDER,
            Feed.scheme == LIST,
        )
        .order_by(col(Feed.closed_at).is_(None).desc(), col(Feed.opened_at).desc())
    ).first()
    return None if feed is None else not is_test_key(secrets_of(feed, vault)[0])


def ask_switch(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, account_id: UUID, reason: str, now: datetime, *, turn_on: bool
) -> CardSwitch:
    """Ask to take cards, or to stop; raises ``NotFound``, ``Conflict`` while another asking is open.

    Raises ``Refused`` without a reason, or to take them where Stripe does not settle in đồng alone.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do, ví dụ số quyết định của hiệu trưởng.")
    account = session.exec(
        select(BankAccount.id).where(BankAccount.school_id == school_id, BankAccount.id == account_id)
    ).one_or_none()
    if account is None:
        raise NotFound("Trường không có tài khoản này.")
    name = {"name": f"card switch {account_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
    if open_switch(session, school_id, account_id) is not None:
        raise Conflict("Đã có đề nghị về thẻ cho tài khoản này, đang chờ người khác duyệt.")
    if is_switched_on(session, school_id, account_id) == turn_on:
        raise Conflict("Thẻ đang ở đúng trạng thái này rồi. Xin tải lại trang.")
    if turn_on:
        _refuse_other_money(session, school_id, account_id)
    row = CardSwitch(
        school_id=school_id,
        bank_account_id=account_id,
        turned_on=turn_on,
        reason=reason.strip()[:_MOST_REASON],
        asked_by=person_of(actor),
        asked_at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(school_id, "card.switch.ask", "card_switch", str(row.id), reason)
    record_deed(session, actor, deed, now, turn_on=str(turn_on))
    return row


def decide_switch(  # noqa: PLR0913  as above
    session: Session, actor: Actor, school_id: UUID, switch_id: UUID, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    """Agree or say no; whoever asked may only take it back. Raises ``SamePerson``, ``Conflict``, ``NotFound``."""
    row = session.exec(
        select(CardSwitch).where(CardSwitch.school_id == school_id, CardSwitch.id == switch_id)
    ).one_or_none()
    if row is None:
        raise NotFound("Không có đề nghị này.")
    if approved:
        own_word = "Người đề nghị không tự duyệt được. Xin nhờ người duyệt khác."
        second_person(session, actor, Agreement(school_id, {row.asked_by}, NO_CHILD, own_word))
    elif is_blank(reason):
        raise Refused("Hãy ghi lý do không duyệt.")
    if session.get(CardSwitchDecision, switch_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định. Xin tải lại trang.")
    if approved and row.turned_on:
        _refuse_other_money(session, school_id, row.bank_account_id)
    session.add(
        CardSwitchDecision(
            switch_id=switch_id,
            school_id=school_id,
            approved=approved,
            decided_by=person_of(actor),
            reason=reason.strip()[:_MOST_REASON],
            at=now,
        )
    )
    session.flush()
    action = "card.switch.approve" if approved else "card.switch.refuse"
    record_deed(session, actor, Deed(school_id, action, "card_switch", str(switch_id), reason), now)


def _refuse_other_money(session: Session, school_id: UUID, account_id: UUID) -> None:
    """Refuse cards where Stripe would turn đồng into other money: neither fees nor payouts would come in đồng."""
    others = other_currencies(session, school_id, account_id)
    if others:
        raise Refused(
            f"Tài khoản Stripe này nhận tiền bằng {others.upper()}, không chỉ bằng đồng: phí và tiền về ngân hàng "
            "không khớp sổ được. Hãy đặt đồng (VND) làm tiền duy nhất trong trang của Stripe, hoặc dùng tài khoản khác."
        )


def open_switch(session: Session, school_id: UUID, account_id: UUID) -> CardSwitch | None:
    """Return what was asked for an account and not decided."""
    decided = select(CardSwitchDecision.switch_id).where(CardSwitchDecision.switch_id == CardSwitch.id)
    return session.exec(
        select(CardSwitch).where(
            CardSwitch.school_id == school_id, CardSwitch.bank_account_id == account_id, ~decided.exists()
        )
    ).first()
