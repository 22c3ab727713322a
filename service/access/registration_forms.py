"""What a family types to be told about a child, read with care (pure)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from billing.errors import Refused
from billing.people.cells import CellError, name_of
from billing.people.contact_sheet import RELATION_WORDS, Relation, email_of, phone_of
from billing.people.workbook import Cell


@dataclass(frozen=True, slots=True)
class Draft:
    """Name, relation, and one contact in the form in which contacts are stored (``84…``, lower-case address)."""

    full_name: str
    relation: Relation
    kind: str
    contact: str

    def to_json(self) -> str:
        """Return the draft as text, to be sealed."""
        return json.dumps([self.full_name, self.relation.value, self.kind, self.contact], ensure_ascii=False)

    @classmethod
    def from_json(cls, written: str) -> Draft:
        """Return what ``to_json`` wrote."""
        full_name, relation, kind, contact = json.loads(written)
        return cls(full_name, Relation(relation), kind, contact)


def read_draft(full_name: str, relation: str, contact: str) -> Draft:
    """Read a filled-in form; raises ``Refused`` with what is wrong and how to write it."""
    if not full_name.strip():
        raise Refused("Chưa ghi họ tên. Xin ghi họ tên người nhận thông báo.")
    if relation not in set(Relation):
        raise Refused("Chưa chọn quan hệ với học sinh. Xin chọn một trong danh sách.")
    if not contact.strip():
        raise Refused("Chưa ghi số điện thoại hoặc e-mail. Xin ghi một trong hai.")
    try:
        name = name_of(_as_cell(full_name))
        kind = "email" if "@" in contact else "phone"
        value = email_of(_as_cell(contact)) if kind == "email" else phone_of(_as_cell(contact))
    except CellError as wrong:
        raise Refused(f"{wrong.reason} {wrong.remedy}") from wrong
    return Draft(name, Relation(relation), kind, value)


def _as_cell(text: str) -> Cell:
    """Return a field as the cell of a contact sheet, so that both are read alike."""
    return Cell(text, "s")


def relation_word(relation: str) -> str:
    """Return a stored relation as people say it; older words are shown as they are."""
    return RELATION_WORDS[Relation(relation)] if relation in set(Relation) else relation
