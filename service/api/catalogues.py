"""Catalogues of items: those that come with the program, tried or loaded into the school's accounts."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import select
from starlette.responses import Response

from billing.errors import Refused
from billing.fees.tables import FeeItem
from service.api.calling import MAX_JSON_BYTES, Calling
from service.api.people import REFUSALS
from service.api.shapes import Answer, Body, Sought
from service.pages.fee_views import CatalogueChoice
from service.pages.item_rows import catalogue_file, chosen_catalogue, load_chosen, shipped_catalogues

router = APIRouter(
    prefix="/api/v1/schools/{school}/catalogues", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["items"]
)

AccountKey = Annotated[str, Field(min_length=1, max_length=40)]


class CatalogueOut(Answer):
    """A catalogue that comes with the program."""

    name: str
    title: str
    items: int


class FullCatalogue(CatalogueOut):
    """A catalogue with its account keys (each goes to one of the school's accounts) and the file itself."""

    account_keys: list[str]
    content: dict[str, Any]


class LoadIn(Body):
    """What to load: a shipped catalogue by ``name``, or a ``content`` of one's own; and where each key's money goes."""

    accounts: Annotated[dict[AccountKey, UUID], Field(min_length=1, max_length=20)]
    name: Annotated[str, Field(max_length=60)] = ""
    content: dict[str, Any] | None = None


class Loaded(Answer):
    """The codes of the school's items after loading."""

    items: list[str]


@router.get("")
def catalogues(call: Calling) -> list[CatalogueOut]:
    """List the catalogues that come with the program, by title."""
    del call
    return [CatalogueOut(name=row.name, title=row.title, items=row.items) for row in shipped_catalogues()]


@router.get("/{name}")
def catalogue(call: Calling, name: Sought) -> FullCatalogue:
    """Return one with all that its file says; edited, it can be loaded as ``content``."""
    del call
    found = chosen_catalogue(CatalogueChoice(name=name))
    row = next(each for each in shipped_catalogues() if each.name == name)
    return FullCatalogue(
        name=row.name,
        title=row.title,
        items=row.items,
        account_keys=list(dict.fromkeys(item.account for item in found.items)),
        content=json.loads(catalogue_file(name).content),
    )


@router.post("", status_code=201, response_model=Loaded)
def load(call: Calling, body: LoadIn) -> Response:
    """Load a catalogue; caps, prohibitions and overlaps are refused as on the page, and then nothing is stored."""

    def make() -> Loaded:
        if bool(body.name) == (body.content is not None):
            raise Refused("Hãy gửi tên một danh mục có sẵn (name), hoặc nội dung danh mục (content).", field="name")
        text = "" if body.content is None else json.dumps(body.content, ensure_ascii=False)
        accounts = {key: str(account) for key, account in body.accounts.items()}
        choice = CatalogueChoice(name=body.name, text=text)
        load_chosen(call.session, call.school_id, call.actor, choice, accounts, call.now)
        codes = call.session.exec(select(FeeItem.code).where(FeeItem.school_id == call.school_id)).all()
        return Loaded(items=sorted(codes))

    return call.create(make)
