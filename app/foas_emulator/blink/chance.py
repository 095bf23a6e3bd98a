"""Numbers that look random but never change: hashes of their purpose."""

from hashlib import blake2b

Part = str | int


def digits(*parts: Part, length: int = 32) -> str:
    """Return at most 64 hexadecimal digits that depend only on the parts."""
    return blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()[:length]


def below(limit: int, *parts: Part) -> int:
    """Return a whole number from 0 to `limit` - 1."""
    return int(digits(*parts, length=16), 16) % limit


def fraction(*parts: Part) -> float:
    """Return a number from 0 to 1, 1 excluded."""
    return int(digits(*parts, length=13), 16) / 16**13


def between(low: int, high: int, *parts: Part) -> int:
    """Return a whole number from `low` to `high`, both included."""
    return low + below(high - low + 1, *parts)
