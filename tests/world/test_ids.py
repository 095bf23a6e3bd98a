import re
from itertools import islice

import pytest

from foas_emulator.world import ids
from foas_emulator.world.store import Store

REQUEST_ID = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-A[0-9A-F]{3}-[0-9A-F]{12}")


def test_a_counter_counts_from_one(store: Store) -> None:
    with store.transaction():
        assert [ids.next_number(store, "job") for _ in range(3)] == [1, 2, 3]
        assert ids.next_number(store, "instance") == 1


@pytest.mark.parametrize(("counted", "least", "following"), [(0, 10, 11), (3, 10, 11), (3, 2, 4)])
def test_a_raised_counter_gives_out_no_number_again(store: Store, counted: int, least: int, following: int) -> None:
    with store.transaction():
        for _ in range(counted):
            ids.next_number(store, "job")
        ids.raise_counter(store, "job", least)
        assert ids.next_number(store, "job") == following


def test_a_token_depends_on_seed_kind_and_number_alone() -> None:
    tokens = {
        ids.token(seed, kind, number) for seed in (1, 2) for kind in ("job", "project") for number in range(1, 50)
    }
    assert len(tokens) == 2 * 2 * 49
    assert ids.token(1, "job", 1) in tokens
    assert all(re.fullmatch("[0-9a-z]{24}", token) for token in tokens)
    assert len(ids.token(1, "job", 1, length=7)) == 7


def test_worlds_of_other_names_have_other_seeds() -> None:
    assert ids.seed_of("alice") == ids.seed_of("alice")
    assert len({ids.seed_of(f"w{number}") for number in range(1000)}) == 1000


def test_request_ids_are_uuids_that_depend_on_seed_and_count_alone() -> None:
    given = [ids.request_id(number) for seed in (5, 6) for number in islice(ids.request_numbers(seed), 1000)]
    assert all(REQUEST_ID.fullmatch(request_id) for request_id in given)
    assert len(set(given)) == 2000
    assert given[:1000] == [ids.request_id(number) for number in islice(ids.request_numbers(5), 1000)]


def test_what_must_not_be_guessed_is_new_each_time() -> None:
    assert len({ids.fresh_secret() for _ in range(10)}) == len({ids.fresh_seed() for _ in range(10)}) == 10
