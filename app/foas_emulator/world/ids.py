"""Identifiers: counters kept in a world, and texts derived from its seed. The only module that draws chance."""

import secrets
from hashlib import md5, sha256, shake_256

from sqlmodel import Field

from foas_emulator.world.store import Row, Store

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class Counter(Row, table=True):
    """The last number given out under a name."""

    __tablename__ = "counters"

    name: str = Field(primary_key=True)
    value: int


def next_number(store: Store, name: str) -> int:
    """The next number of a counter, from 1 on. Belongs inside a transaction."""
    counter = store.get(Counter, name=name)
    if counter is None:
        store.insert(Counter(name=name, value=1))
        return 1
    store.update(Counter, {"name": name}, value=counter.value + 1)
    return counter.value + 1


def raise_counter(store: Store, name: str, least: int) -> None:
    """Make sure that a counter never gives out a number up to `least` again."""
    counter = store.get(Counter, name=name)
    if counter is None:
        store.insert(Counter(name=name, value=least))
    elif counter.value < least:
        store.update(Counter, {"name": name}, value=least)


def seed_of(name: str) -> int:
    """The seed that a new world derives from its name, so that two worlds differ and two runs agree."""
    return int.from_bytes(sha256(name.encode()).digest()[:6])


def token(seed: int, kind: str, number: int, *, length: int = 24) -> str:
    """Lower-case letters and digits that look random and depend on nothing but the arguments."""
    digest = shake_256(f"{seed}/{kind}/{number}".encode()).digest(length)
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)


def fraction(seed: int, kind: str, number: int) -> float:
    """A number from 0 to 1, 1 excluded, that looks random and depends on nothing but the arguments."""
    return int.from_bytes(sha256(f"{seed}/{kind}/{number}".encode()).digest()[:6]) / 2**48


class RequestIds:
    """The request ids of one world: upper-case UUIDs from its seed and a count of its requests.

    The count lives outside the database, so two restores of one snapshot answer the same calls with the same ids.
    """

    def __init__(self, seed: int) -> None:
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """Begin the sequence that belongs to `seed`."""
        self._base = md5(f"request/{seed}/".encode(), usedforsecurity=False)
        self._count = 0

    def next(self) -> str:
        self._count += 1
        digest = self._base.copy()
        digest.update(b"%d" % self._count)
        text = digest.hexdigest().upper()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-A{text[17:20]}-{text[20:]}"


def fresh_secret() -> str:
    """A text nobody can guess."""
    return secrets.token_urlsafe(24)


def fresh_seed() -> int:
    """A seed nobody can foresee, for what has no world."""
    return secrets.randbits(48)
