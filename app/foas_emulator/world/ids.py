"""Identifiers: counters kept in a world, and texts derived from its seed. The only module that uses randomness."""

import secrets
from collections.abc import Iterator
from hashlib import sha256, shake_256
from itertools import count

from sqlmodel import Field

from foas_emulator.world.file_errors import WorldFullError
from foas_emulator.world.store import Store
from foas_emulator.world.tables import Row, assign, equal

LAST_NUMBER = 2**62
"""The largest number that people may give as an id: counters have room for as many more after it."""
LAST_COUNT = 2**63 - 1
"""The largest number that a counter gives out, and the largest id in a snapshot: the largest integer of 64 bits."""

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"

_MASK = 2**120 - 1
_STEP = int.from_bytes(sha256(b"request").digest()[:15]) | 1


class Counter(Row, table=True):
    """A counter: the last number that was given out under a name."""

    __tablename__ = "counters"

    name: str = Field(primary_key=True)
    value: int


def next_number(store: Store, name: str) -> int:
    """Return the next number of a counter, from 1 on. Belongs inside a transaction.

    Raise `WorldFullError` after the last one; only a snapshot can set a counter so high.
    """
    counter = store.get(Counter, equal(Counter.name, name))
    if counter is None:
        store.insert(Counter.model_construct(name=name, value=1))
        return 1
    last = counter.value
    if last >= LAST_COUNT:
        raise WorldFullError(f"its counter {name!r} has given out the last number", "reset or drop it")
    store.update(Counter, assign(Counter.value, last + 1), where=[equal(Counter.name, name)])
    return last + 1


def raise_counter(store: Store, name: str, least: int) -> None:
    """Raise a counter to `least`, so that its next number is higher. Belongs inside a transaction."""
    counter = store.get(Counter, equal(Counter.name, name))
    if counter is None:
        store.insert(Counter.model_construct(name=name, value=least))
    elif counter.value < least:
        store.update(Counter, assign(Counter.value, least), where=[equal(Counter.name, name)])


def seed_of(name: str) -> int:
    """Return the seed of a new world with this name: two worlds get different seeds, two runs the same one."""
    return int.from_bytes(sha256(name.encode()).digest()[:6])


def token(seed: int, kind: str, number: int, *, length: int = 24) -> str:
    """Return lower-case letters and digits that look random and depend only on the arguments."""
    digest = shake_256(f"{seed}/{kind}/{number}".encode()).digest(length)
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)


def fraction(seed: int, kind: str, number: int) -> float:
    """Return a number from 0 to 1, 1 excluded, that looks random and depends only on the arguments."""
    return int.from_bytes(sha256(f"{seed}/{kind}/{number}".encode()).digest()[:6]) / 2**48


def request_numbers(seed: int) -> Iterator[int]:
    """Return the numbers of a world's requests; the seed determines the first.

    They are counted outside the database, so that the same calls get the same ids after each restore of a snapshot.
    """
    return count(int.from_bytes(sha256(f"request/{seed}".encode()).digest()[:7]))


def request_id(number: int) -> str:
    """Return an upper-case UUID for the number of a request; all multiples of an odd number differ in 120 bits."""
    digits = (number * _STEP & _MASK).to_bytes(15).hex().upper()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-A{digits[15:18]}-{digits[18:]}"


def fresh_secret() -> str:
    """Return a text that nobody can guess."""
    return secrets.token_urlsafe(24)


def fresh_seed() -> int:
    """Return an unpredictable seed, for request ids that belong to no world."""
    return secrets.randbits(48)
