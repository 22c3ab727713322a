"""Who may do what with a link to a bill, a registration or a contract (pure): the token in the address is the key."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.access.actors import Actor
from service.access.circles import EVERYBODY, LINK

FAMILY_ROUTES: Mapping[tuple[str, str], frozenset[Actor]] = MappingProxyType(
    {
        ("GET", "/t/{token}"): LINK,
        ("GET", "/t/{token}/status"): LINK,
        ("GET", "/t/{token}/qr.png"): LINK,
        ("GET", "/t/{token}/bien-lai/{number}.pdf"): LINK,
        ("GET", "/t/{token}/the"): LINK,
        ("POST", "/t/{token}/the"): LINK,
        ("GET", "/the/{outcome}"): EVERYBODY,
        ("GET", "/t/{token}/chi-tiet"): LINK,
        ("POST", "/t/{token}/ma"): LINK,
        ("GET", "/t/{token}/ma/{code_id}"): LINK,
        ("POST", "/t/{token}/ma/{code_id}"): LINK,
        ("POST", "/t/{token}/dong-phien"): LINK,
        ("POST", "/t/{token}/thoi-nhan"): LINK,
        ("GET", "/t/{token}/dang-ky"): LINK,
        ("POST", "/t/{token}/dang-ky"): LINK,
        ("POST", "/t/{token}/dang-ky/thoi"): LINK,
        ("GET", "/t/{token}/nhan-tien"): LINK,
        ("POST", "/t/{token}/nhan-tien"): LINK,
        ("GET", "/dk/{token}"): LINK,
        ("POST", "/dk/{token}"): LINK,
        ("GET", "/dk/{token}/ma/{code_id}"): LINK,
        ("POST", "/dk/{token}/ma/{code_id}"): LINK,
        ("GET", "/hd/{token}"): LINK,
        ("POST", "/hd/{token}"): LINK,
        ("GET", "/hd/{token}/ma/{code_id}"): LINK,
        ("POST", "/hd/{token}/ma/{code_id}"): LINK,
    }
)
