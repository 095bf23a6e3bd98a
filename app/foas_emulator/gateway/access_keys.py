"""The access keys that the emulator accepts: configured ones, `test:test`, and `world-<name>` for every world."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from types import MappingProxyType

WORLD_NAME = "[a-z0-9][a-z0-9_-]{0,63}"
"""The pattern of the names that worlds can have."""
_WORLD_KEY = re.compile(f"world-{WORLD_NAME}")
WORLD_SECRET = "test"  # noqa: S105 - public on purpose
WORLD_TOKEN = "test"  # noqa: S105 - public on purpose
"""The token that a key `world-<name>` may carry, since some credential chains accept no key without one."""


@dataclass(frozen=True, slots=True)
class Key:
    """An access key; with a token it is a temporary one, valid only together with that token.

    If `may_omit_token` is true, it is valid without one too.
    """

    access_key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    may_omit_token: bool = False

    def fits(self, token: str | None) -> bool:
        """Whether the key is valid together with the token of a request, None if it has none."""
        if token is None or self.token is None:
            return token is None and (self.token is None or self.may_omit_token)
        return compare_digest(token.encode(), self.token.encode())


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """The configured keys by their ids, and the bearer tokens that are accepted without a key."""

    configured: Mapping[str, Key]
    bearer_tokens: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def parse(cls, entries: Iterable[str] = (), *, bearer_tokens: Iterable[str] = ()) -> "AccessKeys":
        """Read `id:secret` and `id:secret:token` entries; one with the id `test` replaces the built-in `test:test`.

        Raise ValueError, whose message names the entry and never shows a secret.
        """
        keys: dict[str, Key] = {}
        for number, entry in enumerate(entries, start=1):
            key = _parse_entry(entry.strip(), number)
            if key.access_key_id in keys:
                raise ValueError(f"access key entry {number}: the id {key.access_key_id!r} is given twice")
            keys[key.access_key_id] = key
        keys.setdefault("test", Key("test", WORLD_SECRET))
        return cls(MappingProxyType(keys), frozenset(bearer_tokens))

    def lookup(self, access_key_id: str) -> Key | None:
        """Return the key with this id; `world-<name>` has the secret `test` unless another one is configured."""
        key = self.configured.get(access_key_id)
        if key is None and _WORLD_KEY.fullmatch(access_key_id):
            return Key(access_key_id, WORLD_SECRET, WORLD_TOKEN, may_omit_token=True)
        return key


def _parse_entry(entry: str, number: int) -> Key:
    access_key_id, colon, rest = entry.partition(":")
    if not colon:  # the whole entry may be a secret, so it is not shown
        raise ValueError(f"access key entry {number} is not id:secret or id:secret:token")
    if any("\ud800" <= each <= "\udfff" for each in entry):  # bytes of a variable that are no text
        raise ValueError(f"access key entry {number} is not UTF-8")
    secret, token_colon, token = rest.partition(":")
    if not access_key_id:
        raise ValueError(f"access key entry {number}: the id before the first colon is empty")
    if not secret:
        raise ValueError(f"access key entry {number}: the secret of {access_key_id!r} is empty")
    if token_colon and not token:
        raise ValueError(f"access key entry {number}: the token of {access_key_id!r} is empty")
    return Key(access_key_id, secret, token or None)
