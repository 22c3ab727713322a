import threading
import time

import pytest
from argon2 import PasswordHasher, extract_parameters

from service.access import passwords
from service.access.errors import Busy, WeakPassword

GOOD = "mèo con ngủ trên mái nhà"


def test_the_hash_meets_the_floor_of_owasp() -> None:
    found = extract_parameters(passwords.hash_password(GOOD))
    assert found.memory_cost >= 19 * 1024
    assert found.time_cost >= 2
    assert found.parallelism == 1
    assert passwords.hash_password(GOOD).startswith("$argon2id$")


def test_right_and_wrong_passwords() -> None:
    stored = passwords.hash_password(GOOD)
    assert passwords.check_password(stored, GOOD) == passwords.Verdict(ok=True)
    assert not passwords.check_password(stored, GOOD + " ").ok
    assert not passwords.check_password(stored, "").ok


def test_letters_typed_in_two_ways_are_one_password() -> None:
    stored = passwords.hash_password("me\u0300o con ngủ trên mái")
    assert passwords.check_password(stored, "mèo con ngủ trên mái").ok


def test_an_unknown_account_and_a_broken_hash_say_no() -> None:
    assert not passwords.check_password(None, "no account has this password").ok
    assert not passwords.check_password("!", GOOD).ok


def test_a_weaker_hash_is_renewed() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(GOOD)
    verdict = passwords.check_password(old, GOOD)
    assert verdict.ok
    assert verdict.new_hash is not None
    assert passwords.check_password(verdict.new_hash, GOOD) == passwords.Verdict(ok=True)


def test_an_endless_password_is_not_even_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(PasswordHasher, "verify", never)
    assert not passwords.check_password(passwords._NOBODY, "x" * 1_000_000).ok
    with pytest.raises(AssertionError):
        passwords.check_password(passwords._NOBODY, "x" * 20)


def test_at_most_four_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.05)
    running, most, lock, go = 0, 0, threading.Lock(), threading.Event()

    class Slow:
        def hash(self, password: str) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            go.wait(5)
            with lock:
                running -= 1
            return password

    monkeypatch.setattr(passwords, "_hasher", Slow())
    threads = [threading.Thread(target=passwords.hash_password, args=(GOOD,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    while running < 4:
        time.sleep(0.01)
    with pytest.raises(Busy):
        passwords.hash_password(GOOD)
    go.set()
    for thread in threads:
        thread.join()
    assert most == 4
    assert passwords.hash_password(GOOD) == GOOD


@pytest.mark.parametrize(
    "weak", ["ngắn quá", "a" * 30, "abababababab", "ketoan1 đang làm việc", "x1y2z3" * 40], ids=range(5)
)
def test_weak_passwords_are_refused(weak: str) -> None:
    with pytest.raises(WeakPassword):
        passwords.refuse_weak(weak, "ketoan1")


@pytest.mark.parametrize("fine", [GOOD, "correct horse battery", "thutrang2019.hoasen"])
def test_plain_sentences_are_taken(fine: str) -> None:
    passwords.refuse_weak(fine, "ketoan1")
