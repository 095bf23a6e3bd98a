"""Whether answers are what they say that they are."""

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

_LIMITS = {b"There are too many worlds", b"There is no room for one more image"}
"""What the control API may answer with 503: the documented limits."""
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_TYPE = re.compile(rb"\r\ncontent-type: ([^;\r]*)", re.IGNORECASE)


def is_asked_for(answer: bytes) -> bool:
    """Whether an error of the server is one that requests asked for: by a fault rule, or beyond a limit."""
    return b"x-emulator-hint: The fault rule" in answer or any(limit in answer for limit in _LIMITS)


def fault_of(answer: bytes) -> str | None:
    """Return why a whole answer is not what its Content-Type says, None if it is."""
    head, _, body = answer.partition(b"\r\n\r\n")
    length, kind = _LENGTH.search(head), _TYPE.search(head)
    if length is None or kind is None or len(body) != int(length[1]) or not body:
        return None  # as a fault rule cuts it, or the answer to a HEAD
    try:
        head.decode("ascii")
        text = body.decode("utf-8")
        if kind[1].endswith(b"json"):
            json.loads(text, parse_constant=_refuse)
        elif kind[1].endswith(b"xml"):
            ET.fromstring(text)
        elif kind[1] == b"text/html" and not text.rstrip().endswith("</html>"):
            return "the page is not whole"
    except (ValueError, ET.ParseError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
