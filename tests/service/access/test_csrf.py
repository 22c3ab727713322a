import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access import csrf
from service.access.errors import ForgedRequest

SECRET, SESSION, OWN = b"s" * 32, b"a session", "https://hocphi.example"
TOKEN = csrf.make_token(SECRET, SESSION)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin", "origin": OWN},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"origin": OWN},
        {"origin": "null"},
        {},
    ],
)
def test_our_own_form_passes(headers: dict[str, str]) -> None:
    csrf.refuse_forged(SECRET, SESSION, TOKEN, headers, OWN)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": OWN + ".evil.example"},
        {"origin": "http://hocphi.example"},
        {"sec-fetch-site": "cross-site", "origin": "null"},
    ],
)
def test_another_site_is_refused_even_with_the_token(headers: dict[str, str]) -> None:
    with pytest.raises(ForgedRequest):
        csrf.refuse_forged(SECRET, SESSION, TOKEN, headers, OWN)


@pytest.mark.parametrize("token", [None, "", TOKEN[:-1], TOKEN.upper(), TOKEN + "0", "é"])
def test_a_missing_or_wrong_token_is_refused(token: str | None) -> None:
    with pytest.raises(ForgedRequest):
        csrf.refuse_forged(SECRET, SESSION, token, {"origin": OWN}, OWN)


def test_a_token_without_a_session_is_refused() -> None:
    with pytest.raises(ForgedRequest):
        csrf.refuse_forged(SECRET, None, TOKEN, {"origin": OWN}, OWN)


@given(st.binary(), st.binary())
def test_tokens_of_two_sessions_differ(one: bytes, two: bytes) -> None:
    assert (csrf.make_token(SECRET, one) == csrf.make_token(SECRET, two)) == (one == two)
