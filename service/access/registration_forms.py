"""What a family types to be told about a child, read with care (pure)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from billing.errors import Refused
from billing.people.cells import CellError, name_of
from billing.people.contact_sheet import RELATION_WORDS, Relation, email_of, phone_of
from billing.people.names import clean_text
from billing.people.workbook import Cell
from service.access.consent_texts import CURRENT, NOTICES

_HOW_TO_WRITE = (
    "Ghi một số di động 10 chữ số, bắt đầu bằng 03, 05, 07, 08 hoặc 09, hoặc một địa chỉ e-mail như ten@example.com."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """Name, relation, and one contact in the form in which contacts are stored (``84…``, lower-case address).

    ``agreed_to`` is the version of the consent that stood beside the ticked box.
    """

    full_name: str
    relation: Relation
    kind: str
    contact: str
    agreed_to: str

    def to_json(self) -> str:
        """Return the draft as text, to be sealed."""
        words = [self.full_name, self.relation.value, self.kind, self.contact, self.agreed_to]
        return json.dumps(words, ensure_ascii=False)

    @classmethod
    def from_json(cls, written: str) -> Draft:
        """Return what ``to_json`` wrote."""
        full_name, relation, kind, contact, agreed_to = json.loads(written)
        return cls(full_name, Relation(relation), kind, contact, agreed_to)


def read_draft(full_name: str, relation: str, contact: str, agreed_to: str) -> Draft:
    """Read a filled-in form; raises ``Refused`` with what is wrong and how to write it.

    ``agreed_to`` is empty where the box was not ticked. Nobody agrees to words that were not before him: a page left
    open since before a change of the wording has to be read again.
    """
    full_name, contact = clean_text(full_name), clean_text(contact)
    if not full_name:
        raise Refused("Chưa ghi họ tên. Xin ghi họ tên người nhận thông báo.")
    if relation not in set(Relation):
        raise Refused("Chưa chọn quan hệ với học sinh. Xin chọn một trong danh sách.")
    if not contact:
        raise Refused("Chưa ghi số điện thoại hoặc e-mail. Xin ghi một trong hai.")
    kind, read = ("email", email_of) if "@" in contact else ("phone", phone_of)
    try:
        name = name_of(_as_cell(full_name))
    except CellError as wrong:
        raise Refused(f"{wrong.reason} {wrong.remedy}") from wrong
    try:
        value = read(_as_cell(contact))
    except CellError as wrong:
        raise Refused(f"{wrong.reason} {_HOW_TO_WRITE}") from wrong  # the sheet's advice speaks of rows
    if not agreed_to:
        raise Refused("Chưa đánh dấu đồng ý. Đọc các điều bên dưới; nếu đồng ý thì đánh dấu rồi gửi lại.")
    if agreed_to != CURRENT[NOTICES].version:
        raise Refused("Các điều đồng ý vừa được sửa. Xin đọc lại bên dưới; nếu đồng ý thì đánh dấu rồi gửi lại.")
    return Draft(name, Relation(relation), kind, value, agreed_to)


def _as_cell(text: str) -> Cell:
    """Return a field as the cell of a contact sheet, so that both are read alike."""
    return Cell(text, "s")


def relation_word(relation: str) -> str:
    """Return a stored relation as people say it; older words are shown as they are."""
    return RELATION_WORDS[Relation(relation)] if relation in set(Relation) else relation
