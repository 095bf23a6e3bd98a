"""The bytes of requests and answers that the journal keeps: a bounded part of them, with secrets masked when shown.

A repeated call shares all of them with the first one, including the headers, so the hot path copies nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from sys import getsizeof
from typing import Any, NamedTuple

from foas_emulator.difference import Difference
from foas_emulator.gateway.formats import Body
from foas_emulator.masking import MASK, masked

MOST_BYTES = 64 * 1024
"""The most bytes of a body to keep."""

_MOST_HEADERS = 40
_LONGEST_HEADER = 1024
_OVERHEAD = 400
_PER_PAIR = 160
"""Approximate size in bytes of a pair of texts, without their characters."""

_HIDDEN_HEADERS = frozenset(
    {"x-acs-security-token", "x-acs-bearer-token", "x-acs-zero-trust-idtoken", "cookie", "proxy-authorization"}
)
_AUTHORIZATION = re.compile(r"((?:^|,[ \t]*)acs [^:,]*:|Signature=)[^,]*")


class Contents(NamedTuple):
    """The bytes of one call. `sent_size` and `answer_size` are the lengths of the whole bodies.

    `string_to_sign` and `differences` explain a wrong signature: the text that the server expects to be signed, and
    the places where the client signed something else.
    """

    headers: Sequence[tuple[str, str]]
    raw_path: str
    query: str
    sent: bytes
    sent_size: int
    answer_headers: Sequence[tuple[bytes, bytes]]
    answer: Body
    answer_size: int
    string_to_sign: str
    differences: Sequence[Difference]

    @property
    def size(self) -> int:
        """The approximate share of the journal's budget, in bytes."""
        kept = len(self.sent) + self.answer.size + len(self.raw_path) + len(self.query)
        pairs = (*self.headers, *self.answer_headers)
        total = _OVERHEAD + kept + sum([_PER_PAIR + len(name) + len(value) for name, value in pairs])
        if self.string_to_sign:
            total += getsizeof(self.string_to_sign)
            total += sum(_PER_PAIR + getsizeof(each.expected) + getsizeof(each.actual) for each in self.differences)
        return total


NOTHING = Contents((), "", "", b"", 0, (), Body(b"", b""), 0, "", ())
"""The contents of a call whose bytes are not kept."""


def kept_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers of a request to keep: the first forty, with names and values cut to a kibibyte."""
    kept = islice(headers, _MOST_HEADERS)
    return tuple([(name[:_LONGEST_HEADER], value[:_LONGEST_HEADER]) for name, value in kept])


def kept_answer(content: Body) -> Body:
    """Return the part of an answer to keep: all of it unless it is very long."""
    return content if len(content.tail) <= MOST_BYTES else Body(content.head, content.tail[:MOST_BYTES])


def show_contents(contents: Contents, request_id: str) -> dict[str, Any]:
    """Return the members `request`, `answer` and, if a signature was wrong, `signature_check` of an entry."""
    answer = contents.answer.with_request_id(request_id.encode()) if contents.answer_size else b""
    request = {
        "path": masked(contents.raw_path),
        "query": masked(contents.query),
        "headers": {name: masked_header(name, value) for name, value in contents.headers},
        **_body(contents.sent, contents.sent_size),
    }
    shown: dict[str, Any] = {
        "request": request,
        "answer": {
            "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in contents.answer_headers},
            **_body(answer, contents.answer_size),
        },
    }
    if contents.string_to_sign:
        shown["signature_check"] = {
            "string_to_sign": masked(contents.string_to_sign),
            "differences": [
                {
                    "field": each.field,
                    "expected": _side(each.field, each.expected),
                    "actual": _side(each.field, each.actual),
                }
                for each in contents.differences
                if each.field != "signature"
            ],
        }
    return shown


def _side(field: str, value: str | None) -> str | None:
    """Return one side of a difference with secrets masked."""
    return value if value is None else masked_header(field, value)


def _body(kept: bytes, size: int) -> Mapping[str, Any]:
    text = masked(kept.decode("utf-8", "backslashreplace"))
    return {"body": text, "size": size, "is_cut": size > len(kept)}


def masked_header(name: str, value: str) -> str:
    """Return the value of a header with signatures and tokens masked."""
    if name == "authorization":
        cut, count = _AUTHORIZATION.subn(rf"\g<1>{MASK}", value)
        return cut if count else MASK
    return MASK if name in _HIDDEN_HEADERS else masked(value)
