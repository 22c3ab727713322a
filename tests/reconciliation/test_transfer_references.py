"""Which requests a memo names is kept beside the transfer, once, and found again for transfers of before."""

from __future__ import annotations

from alembic import command
from sqlmodel import col, select

from reconciliation.tables import TransferReference
from service.preparing import Addresses, alembic_config
from tests.factories.collecting import Collecting


def kept(collecting: Collecting) -> list[tuple[str, str, bool]]:
    """Return reference, id of the bank and whether it stands alone, in the order of the transfers."""
    ids = {transfer.id: transfer.provider_id for transfer in collecting.transfers()}
    with collecting.database.transaction(collecting.scope) as session:
        rows = session.exec(select(TransferReference).order_by(col(TransferReference.reference))).all()
    return sorted((row.reference, ids[row.transfer_id], row.alone) for row in rows)


def test_each_reference_of_a_memo_is_kept_and_whether_it_is_the_only_one(collecting: Collecting) -> None:
    one, other = (request.reference for request in collecting.requests)
    memos = (
        f"CT tu 0123 {one[:5]} {one[5:].lower()}.CK nhanh",
        f"{one}-{other} {one}",
        "hoc phi thang 10",
        one[:-1] + ("2" if one[-1] != "2" else "3"),
    )
    movements = [collecting.pays(memo, 1_000) for memo in memos]
    collecting.hear_of(*movements)
    first, second = (str(each.id) for each in movements[:2])
    assert kept(collecting) == sorted([(one, first, True), (one, second, False), (other, second, False)])


def test_a_message_told_twice_is_named_once(collecting: Collecting) -> None:
    movement = collecting.pays(collecting.requests[0].reference)
    collecting.hear_of(movement)
    before = kept(collecting)
    collecting.receive(collecting.bank.callback(movement) + b" ")
    collecting.reconcile()
    assert kept(collecting) == before != []


def test_the_migration_names_what_was_there_before(collecting: Collecting, addresses: Addresses) -> None:
    one, other = (request.reference for request in collecting.requests)
    for memo in (f"nop {one.lower()}", f"{one} {other}", f"{other[:4]}-{other[4:]}", "tien an", "FW23456789A"):
        collecting.hear_of(collecting.pays(memo, 1_000))
    before = kept(collecting)
    assert len(before) == 4
    config = alembic_config(addresses.owner)
    command.downgrade(config, "0007")
    command.upgrade(config, "head")
    assert kept(collecting) == before
