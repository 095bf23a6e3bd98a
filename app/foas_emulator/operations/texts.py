"""The weight of texts: the work that it takes to write them into an answer."""

from pydantic import BaseModel

from foas_emulator.gateway.errors import problem
from foas_emulator.world.tables import R

MOST_WEIGHT = 6 * 1024 * 1024
"""The most that the texts of a row, or of a page of several rows, weigh: some 50 milliseconds' work. It is ours."""
OF_AN_ESCAPE = 4
_ESCAPED = b"&<>" + bytes(byte for byte in range(32) if byte not in b"\t\n")

TOO_LONG = problem("InvalidParameter.TooLong", 400, "The specified parameters are too long.")


def weight(model: BaseModel) -> int:
    """Return the bytes of the texts of a row or a document, without those of its parts.

    Characters that XML or JSON escapes count four times, since they take that long.
    """
    return sum(_weight(value) for value in vars(model).values() if isinstance(value, str))


def check_weight(row: R, *, before: R | None = None) -> R:
    """Return a row that is about to be stored. Raise `InvalidParameter.TooLong` if its texts weigh too much.

    If it had more already `before`, as after a snapshot, they must not grow.
    """
    fault = too_heavy(row)
    if fault is not None and (before is None or weight(row) > weight(before)):
        raise TOO_LONG(fault)
    return row


def too_heavy(model: BaseModel) -> str | None:
    """Return a sentence about texts that weigh more than `MOST_WEIGHT`, None if they do not."""
    total = weight(model)
    if total <= MOST_WEIGHT:
        return None
    return (
        f"All texts together would have {total} characters, in which one that is escaped in answers counts "
        f"{OF_AN_ESCAPE} times, and may have {MOST_WEIGHT}."
    )


def _weight(text: str) -> int:
    if text.isascii() and len(text) <= 1024:  # noqa: PLR2004 - almost all texts are short, and need not be exact
        return len(text)
    content = text.encode("utf-8", "surrogatepass")
    return len(content) + (OF_AN_ESCAPE - 1) * (len(content) - len(content.translate(None, _ESCAPED)))
