"""JSON and XML: negotiate the format of an answer, and render the answer in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal
from pydantic_core import to_json

from foas_emulator.gateway.errors import INVALID_ACCEPT, INVALID_FORMAT

Format = Literal["json", "xml"]

CONTENT_TYPES: Mapping[Format, bytes] = {
    "json": b"application/json;charset=utf-8",
    "xml": b"text/xml;charset=utf-8",  # some SDKs compare with exactly this text
}
_MEDIA_TYPES: Mapping[str, Format | None] = {
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/*": "xml",
    "application/octet-stream": None,
    "application/*": None,
    "*/*": None,
}
_LONGEST_KEPT = 1024
"""The most characters of what a client asks for whose meaning is cached."""
MOST_RANGES = 100
"""Media types of an Accept header that are read: no client asks for more, and all of 50,000 would take 40 ms."""

_FORMATS_OF: Mapping[str, Format] = {
    "application/*": "json",
    **{media_type: format_ for media_type, format_ in _MEDIA_TYPES.items() if format_ is not None},
}
"""The format that a wildcard in Accept does not include if this media type has the quality 0."""
_PROLOG = "<?xml version='1.0' encoding='UTF-8'?>"
_BEGIN, _END = "\ufffe", "\uffff"
_NOT_IN_XML = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f{_BEGIN}{_END}]")
_NOT_IN_NAMES = re.compile(r"[^\w.-]", re.ASCII)
_NO_EXTRAS: Mapping[Any, Any] = {"__pydantic_extra__": None, "__pydantic_private__": None}


class ApiModel(BaseModel):
    """A structure of an answer: PascalCase names, members in the order of their declaration, absent ones left out.

    Build one with `model_construct` or `from_row`: rows were validated when they were written.
    """

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True, defer_build=True, extra="ignore")

    @classmethod
    def from_row(cls, row: Mapping[str, Any] | BaseModel) -> Self:
        """Return a structure of those columns of a row that are members of this model."""
        columns = row if isinstance(row, Mapping) else row.__dict__
        members = {name: columns[name] for name in cls.model_fields if name in columns}
        answer = cls.__new__(cls)
        answer.__setstate__({"__dict__": members, "__pydantic_fields_set__": set(members), **_NO_EXTRAS})
        return answer


Int32 = Annotated[int, Field(json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Field(json_schema_extra={"format": "int64"})]
Float = Annotated[float, Field(json_schema_extra={"format": "float"})]
"""Types of members with the widths of the service's metadata, which appear only in the OpenAPI document."""


def words(*allowed: str) -> Any:
    """Return the annotation of a member whose value is one of a few words."""
    return Field(json_schema_extra={"enum": [*allowed]})


class ApiResponse(ApiModel):
    """The members of a successful answer, without the RequestId that every answer begins with."""


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of an answer before and after its request id."""

    head: bytes
    tail: bytes

    @property
    def size(self) -> int:
        """How many bytes the answer has, without its request id."""
        return len(self.head) + len(self.tail)

    def with_request_id(self, request_id: bytes) -> bytes:
        return self.head + request_id + self.tail


def negotiate(asked: str | None, accept: str | None, default: Format) -> Format:
    """Return the format of an answer: the query's `Format`, else the best match of Accept, else the default.

    The results for short texts are cached. Raise `InvalidParameter.Format` or `InvalidParameter.Accept` for a format
    that is neither JSON nor XML.
    """
    is_short = len(asked or "") + len(accept or "") <= _LONGEST_KEPT
    return (_negotiate_short if is_short else _negotiate)(asked, accept, default)


def _negotiate(asked: str | None, accept: str | None, default: Format) -> Format:
    if asked is not None:
        if asked.lower() not in ("json", "xml"):
            raise INVALID_FORMAT(f"Format is {asked!r}; it may be JSON or XML.")
        return "json" if asked.lower() == "json" else "xml"
    if accept is None or not accept.strip():
        return default
    ranges = [_read_range(text) for text in accept.split(",")[:MOST_RANGES]]
    excluded = {_FORMATS_OF.get(media_type) for quality, media_type in ranges if quality <= 0}
    for quality, media_type in sorted(ranges, key=lambda pair: -pair[0]):
        if quality > 0 and media_type in _MEDIA_TYPES:
            named = _MEDIA_TYPES[media_type]
            if named is not None:
                return named
            for format_ in (default, *CONTENT_TYPES):
                if format_ not in excluded:
                    return format_
    raise INVALID_ACCEPT(f"Accept is {accept!r}; ask for application/json, application/xml or text/xml.")


_negotiate_short = lru_cache(maxsize=256)(_negotiate)


def _read_range(text: str) -> tuple[float, str]:
    """Return quality and media type of one entry of Accept; a quality that is not a number counts as 0."""
    media_type, *parameters = (part.strip() for part in text.lower().split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return (quality if quality > 0 else 0.0), media_type


def render(operation: str, answer: ApiModel, format_: Format) -> Body:
    """Return the bytes of a successful answer."""
    if format_ == "json":
        return _json(answer.model_dump_json(by_alias=True, exclude_none=True).encode())
    return _xml(f"{operation}Response", answer.model_dump(by_alias=True, exclude_none=True))


def render_error(members: Mapping[str, str], format_: Format) -> Body:
    """Return the bytes of an error answer with these members after its RequestId."""
    return _json(to_json(members)) if format_ == "json" else _xml("Error", members)


def _json(members: bytes) -> Body:
    return Body(b'{"RequestId":"', b'"}' if members == b"{}" else b'",' + members[1:])


def _xml(root: str, members: Mapping[str, Any]) -> Body:
    from xmltodict import unparse  # noqa: PLC0415 - it loads the parsers too, and most clients ask for JSON

    # None of xmltodict's own names, `@…` and `#…`, is the name of an element.
    written = unparse(
        {root: {"RequestId": "?", **_xml_members(members)}},
        full_document=False,
        short_empty_elements=True,
    )
    # The writer does not escape a carriage return, which a parser would read as a line feed.
    text = written.replace("\r", "&#13;").replace(_BEGIN, "<").replace(_END, ">").encode()
    place = text.index(b"<RequestId>") + len(b"<RequestId>")
    return Body(_PROLOG.encode() + text[:place], text[place + 1 :])


def _xml_members(value: Any) -> Any:
    """Return a value with legal element names, and U+FFFD for every character that XML does not allow."""
    if isinstance(value, str):
        return _legal(value)
    if isinstance(value, Mapping):
        if value and all(type(member) is float for member in value.values()):
            return _elements(value)
        return {_element_name(str(name)): _xml_members(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_xml_members(item) for item in value]
    return value


def _legal(text: str) -> str:
    found = _NOT_IN_XML.search(text)
    while found:  # at most once for each of these characters, of which there may be a million
        text = text.replace(found[0], "\ufffd")
        found = _NOT_IN_XML.search(text, found.start())
    return text


def _elements(numbers: Mapping[str, float]) -> str:
    """Return the elements of the points of a curve as one text: the writer would take a long time for each of them.

    Instead of `<` and `>` it has two characters that no other text has, since XML does not allow them.
    """
    return "".join(
        [
            f"{_BEGIN}{name}{_END}{value}{_BEGIN}/{name}{_END}"
            for name, value in zip(map(_element_name, numbers), numbers.values(), strict=True)
        ]
    )


def _element_name(name: str) -> str:
    legal = name if name.isascii() and name.isalnum() else _NOT_IN_NAMES.sub("_", name)
    return legal if legal and (legal[0].isalpha() or legal[0] == "_") else f"_{legal}"
