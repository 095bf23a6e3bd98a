"""A call of the journal as something to run: with curl, in Python, as an assertion, as a fault rule."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

_LEFT_OUT = frozenset(
    {
        "host",
        "authorization",
        "content-length",
        "connection",
        "user-agent",
        "accept-encoding",
        "date",
        "x-emulator-world",
        "x-acs-date",
        "x-acs-content-sha256",
        "x-acs-signature-nonce",
        "x-acs-signature-method",
        "x-acs-signature-version",
        "content-md5",
    }
)
"""Headers that belong to one request alone, or that the client adds by itself."""


def _target(call: Mapping[str, Any]) -> str:
    request = call["request"]
    return str(request["path"]) + (f"?{request['query']}" if request["query"] else "")


def _headers(call: Mapping[str, Any], world: str) -> dict[str, str]:
    kept = {name: value for name, value in call["request"]["headers"].items() if name not in _LEFT_OUT}
    return {"x-emulator-world": world, **{name: value for name, value in kept.items() if value != "*/*"}}


def curl(call: Mapping[str, Any], base_url: str, world: str) -> str:
    """The call as one line for a shell."""
    words = ["curl", "-i", *([] if call["method"] == "GET" else ["-X", call["method"]]), base_url + _target(call)]
    for name, value in _headers(call, world).items():
        words += ["-H", f"{name}: {value}"]
    if call["request"]["body"]:
        words += ["--data-raw", call["request"]["body"]]
    return shlex.join(words)


def python(call: Mapping[str, Any], base_url: str, world: str) -> str:
    """The call with the standard library alone."""
    body = call["request"]["body"]
    lines = ["from urllib.request import Request, urlopen", "", "request = Request("]
    lines += [f"    {base_url + _target(call)!r},", f"    method={call['method']!r},"]
    lines += [f"    headers={_headers(call, world)!r},"]
    lines += [f"    data={body!r}.encode(),"] if body else []
    return "\n".join([*lines, ")", "print(urlopen(request).read().decode())"])


def pytest(call: Mapping[str, Any]) -> str:
    """An assertion for the pytest plugin: that this was called, and answered so."""
    if call["operation"] is None:
        return ""
    given = [f"{name}={value!r}" for name, value in call["parameters"].items() if name.isidentifier()]
    status = [] if call["status"] is None else [f"status={call['status']}"]
    return f"foas_world.journal.assert_called({', '.join([repr(call['operation']), *status, *given])})"


def fault(call: Mapping[str, Any]) -> str:
    """The rule that answers the next call like this one as this one was, as JSON; nothing for a call that went well."""
    if call["operation"] is None or call["code"] is None:
        return ""
    names = [name for name in ("projectName", "jobName") if isinstance(call["parameters"].get(name), str)]
    effect = {"status": max(call["status"] or 500, 400), "code": call["code"]}
    match = {"operation": call["operation"], "params": {name: call["parameters"][name] for name in names}}
    return json.dumps({"match": match, "effect": effect, "times": 1}, ensure_ascii=False)
