"""Requests as trees: every position of one is a place in its tree, and may get another content."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from tests.endurance.grammar import Request

FORM = "application/x-www-form-urlencoded"
PARTED = "multipart/form-data"
_BOUNDARY = "boundary"
_BARE = "\ufdd0"
"""What stands in a tree where a text goes into the body without quotes."""

Place = Sequence[str | int]


@dataclass(frozen=True)
class Tree:
    """A request whose path, query, headers and body are one tree."""

    method: str
    kind: str
    parts: Mapping[str, Any]
    bare: str = ""
    is_ascii: bool = False
    """Whether a document is written with an escape for whatever is not in ASCII."""

    @classmethod
    def of(cls, request: Request, headers: Mapping[str, str]) -> "Tree":
        """Take a request apart."""
        body: Any = None
        if request.body:
            is_form = request.content_type == FORM
            body = dict(parse_qsl(request.body.decode(), True)) if is_form else json.loads(request.body)
        return tree(request.method, request.target, request.content_type, body, headers)

    def __str__(self) -> str:
        return f"{self.method} /{'/'.join(map(_as_text, self.parts['path']))} {self.kind}"

    @property
    def target(self) -> str:
        """The path and the query."""
        path = "/".join(quote(_as_text(segment), safe="", errors="surrogatepass") for segment in self.parts["path"])
        query = _joined(self.parts["query"])
        return f"/{path}{'?' if query else ''}{query}"

    def places(self) -> list[Place]:
        """Return every place but the four parts themselves; the elements of a list in a body count as one."""
        found: dict[Place, Place] = {}
        for place in _places(self.parts):
            is_whole = len(place) == 1 and place != ("body",)
            if not is_whole and self.parts[str(place[0])] is not None:
                alike = tuple(0 if isinstance(key, int) and place[0] == "body" else key for key in place)
                found.setdefault(alike, place)
        return [*found.values()]

    def with_value(self, place: Place, content: Any) -> "Tree":
        return self._changed(place, lambda key, _value: [(key, content)])

    def with_name(self, place: Place, name: str) -> "Tree":
        return self._changed(place, lambda _key, value: [(name, value)])

    def with_many(self, place: Place, count: int, name: str) -> "Tree":
        """Repeat an element in its list, or a member under names that differ in their ends."""
        return self._changed(
            place, lambda key, value: [(key, value), *((f"{name}{number}", value) for number in range(count))]
        )

    def with_bare(self, place: Place, text: str) -> "Tree":
        """Put a text into a document as it is, without quotes: mostly no JSON, and often YAML."""
        return replace(self.with_value(place, _BARE), bare=text)

    def raw(self) -> bytes:
        """Return the bytes of the request."""
        body = self._body()
        kind = f"{PARTED}; boundary={_BOUNDARY}" if self.kind == PARTED else self.kind
        headers = {"content-type": kind, "content-length": str(len(body)), **self.parts["headers"]}
        lines = [f"{self.method} {self.target} HTTP/1.1", "host: 127.0.0.1"]
        lines += [_line(f"{name}: {_as_text(value)}") for name, value in headers.items() if value]
        return _encoded("\r\n".join(lines) + "\r\n\r\n") + body

    def _changed(self, place: Place, change: "_Change") -> "Tree":
        return replace(self, parts=_changed(self.parts, place, change))

    def _body(self) -> bytes:
        body = self.parts["body"]
        if body is None:
            return b""
        if self.kind == FORM and isinstance(body, dict):
            return _joined(body).encode()
        if self.kind == PARTED and isinstance(body, dict):
            return _encoded("".join(_field(name, value) for name, value in body.items()) + f"--{_BOUNDARY}--\r\n")
        text = json.dumps(body, ensure_ascii=self.is_ascii)
        return _encoded(text.replace(json.dumps(_BARE, ensure_ascii=self.is_ascii), self.bare) if self.bare else text)


_Change = Callable[[Any, Any], Sequence[tuple[Any, Any]]]
"""What stands instead of a key with its value."""


def tree(method: str, target: str, kind: str, body: Any, headers: Mapping[str, str]) -> Tree:
    """Return the tree of a request."""
    path, _, query = target.partition("?")
    segments = [unquote(segment) for segment in path.split("/")[1:]]
    parts = {"path": segments, "query": dict(parse_qsl(query, True)), "headers": dict(headers), "body": body}
    return Tree(method, kind, parts)


def _places(node: Any) -> Iterator[Place]:
    members: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in members:
        yield (key,)
        yield from ((key, *rest) for rest in _places(value))


def _changed(node: Any, place: Place, change: _Change) -> Any:
    key, rest = place[0], place[1:]

    def instead(each: Any, value: Any) -> Sequence[tuple[Any, Any]]:
        if each != key:
            return [(each, value)]
        return [(each, _changed(value, rest, change))] if rest else change(each, value)

    if isinstance(node, list):
        return [new for index, element in enumerate(node) for _, new in instead(index, element)]
    return dict(pair for each, value in node.items() for pair in instead(each, value))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _line(text: str) -> str:
    return text.translate(dict.fromkeys(b"\r\n\0", "~"))


def _joined(members: Mapping[str, Any]) -> str:
    return urlencode([(name, _as_text(value)) for name, value in members.items()], errors="surrogatepass")


def _field(name: str, value: Any) -> str:
    file, content = "", value
    if isinstance(value, dict) and {*value} == {"file", "content"}:
        file, content = f'; filename="{_quoted(value["file"])}"', value["content"]
    head = f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{_quoted(name)}"{file}\r\n\r\n'
    return f"{head}{_as_text(content)}\r\n"


def _quoted(text: Any) -> str:
    return _line(_as_text(text)).replace('"', "%22")


class Page(HTMLParser):
    """The forms of a page of the console that change something, and its links."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self._is_in_form = False
        self.forms: list[tuple[str, str, dict[str, Any]]] = []
        self.links: list[str] = []
        self.feed(document)

    def trees(self, headers: Mapping[str, str]) -> Iterator[Tree]:
        for target, kind, members in self.forms:
            yield tree("POST", target, kind, members, headers)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name")
        if tag == "a":
            self.links.append(given.get("href", "").partition("#")[0])
        elif tag == "form":
            self._is_in_form = given.get("method") == "post"
            if self._is_in_form:
                self.forms.append((given["action"], given.get("enctype", FORM), {}))
        elif name and self._is_in_form:
            is_file = given.get("type") == "file"
            content = {"file": "a.yaml", "content": "{}"} if is_file else given.get("value", "")
            self.forms[-1][2].setdefault(name, content)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_in_form = False
