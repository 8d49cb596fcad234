"""Passwords are hashed well and checked fully, at the same cost for an account that does not exist."""

import time
from statistics import median

import pytest
from argon2 import extract_parameters

from pynomaly.errors import BadAccount
from pynomaly.server.users.passwords import MAX_LENGTH, hash_password, is_right, warm_up

PASSWORD = "correct horse battery"


def test_a_password_is_right_only_when_it_is_the_same() -> None:
    hashed = hash_password(PASSWORD)
    assert is_right(hashed, PASSWORD)
    for wrong in ("", PASSWORD + " ", PASSWORD.upper(), "\ud800", "x" * 10_000):
        assert not is_right(hashed, wrong)
    assert hash_password(PASSWORD) != hashed


def test_a_long_password_counts_to_its_end() -> None:
    longest = "abcd" * (MAX_LENGTH // 4)
    hashed = hash_password(longest)
    assert is_right(hashed, longest)
    assert not is_right(hashed, longest + "x")
    assert not is_right(hashed, longest[:-1] + "x")


def test_the_hash_has_the_agreed_cost() -> None:
    parameters = extract_parameters(hash_password(PASSWORD))
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19 * 1024, 2, 1)


def test_nobody_has_no_password_and_a_broken_hash_is_no_error() -> None:
    assert not is_right(None, "nobody's password")
    assert not is_right("$argon2id$broken", PASSWORD)


@pytest.mark.parametrize("bad", ["", "short", "x" * 1025, "aaaaaaaaaaaaaaaa", "Ada@Example.org"])
def test_weak_passwords_are_refused(bad: str) -> None:
    with pytest.raises(BadAccount):
        hash_password(bad, "ada@example.org")


def test_an_unknown_account_takes_as_long_as_a_known_one() -> None:
    warm_up()
    hashed = hash_password(PASSWORD)
    known, unknown = [], []
    for _ in range(7):
        for times, stored in ((known, hashed), (unknown, None)):
            start = time.process_time()
            is_right(stored, "wrong password")
            times.append(time.process_time() - start)
    assert 0.6 < median(known) / median(unknown) < 1.7
