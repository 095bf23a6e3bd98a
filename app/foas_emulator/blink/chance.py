"""Numbers that look drawn and never change: hashes of what they are for."""

from hashlib import blake2b

Part = str | int


def digits(*parts: Part, length: int = 32) -> str:
    """Hexadecimal digits that depend on the parts alone, at most 64."""
    return blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()[:length]


def below(limit: int, *parts: Part) -> int:
    """A whole number from 0 to `limit` - 1."""
    return int(digits(*parts, length=16), 16) % limit


def fraction(*parts: Part) -> float:
    """A number from 0 to 1, 1 excluded."""
    return int(digits(*parts, length=13), 16) / 16**13


def between(low: int, high: int, *parts: Part) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + below(high - low + 1, *parts)
