"""The actions of the pages' forms: each is one call, composed from the form and the values typed into it."""

import json
import re
from codecs import BOM_UTF8
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foas_emulator.console import messages
from foas_emulator.console.access import LONGEST_FIELD, base_url_of, page_of_ours
from foas_emulator.console.calls import CONTROL, FORM, JSON, SERVICE, Call, json_call
from foas_emulator.console.language import mark
from foas_emulator.console.messages import Message, MessageError
from foas_emulator.console.shown import shown_foreign_form
from foas_emulator.console.site import Site, advance_target, is_number, note_step
from foas_emulator.control.off_loop import off_loop
from foas_emulator.gateway.encodings import foreign_encoding
from foas_emulator.world.world import World

_DEEPEST = 20
"""Levels of the body that the name of a field may lead down."""
_LONGEST_TARGET = 32 * 1024
"""Characters of a call's path and query, before they are percent-encoded."""
_BEGIN = re.compile(rb"(?:[ \t]*+(?:#[^\n]*+|\r)?\n)*+---[ \t]*+(?:#[^\n]*+|\r)?\n")
"""The line with which a YAML document may begin, after comments; inside another one it has no meaning.

A comment has one reading, the return before its end included: with two, each further line would double the time.
"""
_LONGEST_BEGIN = 8192
"""The most bytes in which to look for it, since nobody is served meanwhile."""
_PIECE = 65536
"""Bytes of a document that are indented at a time."""
_MOST_PAIRS = 1000
"""The most parameters of a call of the service."""
_SHOWN = 40
"""The most characters of a wrong value to show."""
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})


class FormError(MessageError):
    """A form makes no call."""


async def perform_form(site: Site, world: World, request: Request) -> Response:
    """Make the call that a form describes; redirect to its page, or on success to the page that it names."""
    async with request.form(max_files=1, max_fields=60, max_part_size=LONGEST_FIELD) as form:
        if not site.access.allows_form(request, _text(form, "token")):
            return await shown_foreign_form(request)
        try:
            call = await call_of(form, world)
            page = _with_values(form, _text(form, "next"))
        except FormError as error:
            return _back(form, Message(ok=False, title=error.title, hint=error.hint))
    if "is_new" in form and _text(form, "path:name") in site.registry.names():
        title = mark("There is a world of this name already, and it stays as it is.")
        return _back(form, Message(ok=False, title=title, hint=_text(form, "path:name")))
    answer = await site.call(call, host=request.url.netloc)
    curl = ""  # if it were refused, as it is not signed, or is too long to be shown: a body may be a large file
    is_refused = call.is_of_service and world.settings.signature == "strict"
    if not is_refused and (call.file or len(call.body) <= messages.LONGEST):
        with_token = site.access.control_token is not None
        curl = call.curl(base_url_of(request), with_token=with_token)
    if answer.ok:
        if call.target == advance_target(world.name):
            note_step(world, answer)
        return _back(form, Message(ok=True, curl=curl), target=page)
    title, hint = answer.problem()
    return _back(form, Message(ok=False, title=title, hint=hint, curl=curl))


async def call_of(form: FormData, world: World) -> Call:
    """Return the call of a form. Raise `FormError` for one that cannot be made.

    A button has its `call` in one text; a form has `method`, `target` and `body`. Typed values replace parts of it:
    `path:NAME` the `{NAME}` of the target, and of the next page; `json:NAME`, `number:NAME` and `form:NAME` a member of
    the body, which is left out if it is empty; an empty `nullable:NAME` is null. `upload` is a file: the body or, with
    `wrap`, what a world begins with, a snapshot or a seed.
    """
    method, target, body = _text(form, "method"), _text(form, "target"), _text(form, "body")
    if "call" in form:
        method, target, body = [*_text(form, "call").split(" ", 2), "", ""][:3]
    target = _with_values(form, target)
    if method not in _METHODS or not target.startswith((SERVICE, CONTROL)) or not target.isascii():
        raise FormError(mark("This form makes no call of the emulator."))
    upload = form.get("upload")
    if isinstance(upload, UploadFile) and upload.filename:
        return await _upload(method, target, upload, is_wrapped="wrap" in form)
    if target.startswith(SERVICE):
        try:
            pairs = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_PAIRS)) | _typed(form, "form:")
        except ValueError:
            raise FormError(mark("This call has too many parameters.")) from None
        return Call(
            method=method,
            target=target,
            world=world.name,
            body=urlencode(pairs).encode(),
            content_type=FORM if pairs else "",
        )
    return json_call(method, target, await _json_body(form, body))


def _with_values(form: FormData, target: str) -> str:
    for name in [name for name in form if name.startswith("path:")]:
        place, value = "{" + name.removeprefix("path:") + "}", _text(form, name)
        if len(target) + target.count(place) * len(value) > _LONGEST_TARGET:
            raise FormError(mark("The path of this call is too long."))
        target = target.replace(place, quote(value, safe=""))
    return target


async def _json_body(form: FormData, text: str) -> Any:
    try:
        document = await off_loop(len(text), partial(json.loads, text)) if text else None
    except RecursionError:
        raise FormError(mark("Lists and objects are nested too deeply.")) from None
    except ValueError as error:
        raise FormError(mark("This is not JSON."), f"{error}.") from None
    members: dict[str, Any] = dict(_typed(form, "json:"))
    members |= {name: _number(name, value) for name, value in _typed(form, "number:").items()}
    members |= {
        name.removeprefix("nullable:"): _text(form, name) or None for name in form if name.startswith("nullable:")
    }
    if not members:
        return document
    document = document if isinstance(document, dict) else {}
    for name, value in members.items():
        place = document
        *outer, last = name.split(".", _DEEPEST)
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise FormError(mark("A member is given as a value and as an object."), _short(part))
        place[last] = value
    return document


def _number(name: str, text: str) -> int:
    if not is_number(text):
        raise FormError(mark("This is not a whole number."), f"{_short(name)}: {_short(text)}")
    return int(text)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _typed(form: FormData, prefix: str) -> dict[str, str]:
    pairs = ((name.removeprefix(prefix), _text(form, name)) for name in form if name.startswith(prefix))
    return {name: value for name, value in pairs if value}


async def _upload(method: str, target: str, upload: UploadFile, *, is_wrapped: bool) -> Call:
    content = await upload.read()
    as_yaml = str(upload.filename).lower().endswith((".yaml", ".yml"))
    content_type = "application/yaml" if as_yaml else JSON
    if not is_wrapped:
        return Call(method=method, target=target, body=content, content_type=content_type, file=str(upload.filename))
    body = await off_loop(len(content), partial(_wrapped, content, as_yaml=as_yaml))
    return Call(method=method, target=target, body=body, content_type=content_type)


def _wrapped(content: bytes, *, as_yaml: bool) -> bytes:
    """Return a snapshot or a seed as the member of another document, without parsing it.

    A mark of its begin stays outside. What names no version of a snapshot is taken for a seed.
    """
    if (found := foreign_encoding(content)) is not None:
        raise FormError(mark("Save the file as UTF-8."), f"The file is {found}.")
    content = content.removeprefix(BOM_UTF8)
    name = b"snapshot" if b"snapshot_version" in content else b"seed"
    if not as_yaml:
        return b"".join((b'{"', name, b'":', content, b"}"))
    document, begin = BytesIO(content), _BEGIN.match(content, 0, _LONGEST_BEGIN)
    document.seek(0 if begin is None else begin.end())
    wrapped = BytesIO()
    wrapped.write(name + b":\n  ")
    while piece := document.read(_PIECE):  # piece by piece, so that others run
        wrapped.write(piece.replace(b"\n", b"\n  "))
    return wrapped.getvalue()


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _back(form: FormData, message: Message, *, target: str = "") -> Response:
    """Redirect back to a page of the console, never to another site."""
    response = RedirectResponse(page_of_ours(target or _text(form, "back")), HTTPStatus.SEE_OTHER)
    messages.put(response, message)
    return response
