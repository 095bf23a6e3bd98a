"""Requests that take much more memory than their bytes, for `floods`: each shape makes the n-th of ever others."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from foas_emulator.world.ids import fresh_secret
from tests.endurance.trees import FORM, PARTED

Shape = Callable[[int], bytes]
"""Returns the bytes of the n-th request."""

JOBS = "/api/v2/projects/demo/jobs"
COMPARE = "/_emulator/console/w/default/compare"
TOKEN = b"t" * len(fresh_secret())
WIDE = "\N{GRINNING FACE}"
"""A character for which Python takes four bytes, and as many for every other character of the same text."""
_HEAD = 30_000
"""Bytes of a target or of headers, which may have 32 and 64 KiB."""


def call(method: str, target: str, *, content: bytes = b"", kind: str = FORM, headers: str = "") -> bytes:
    """Return the bytes of a request; `headers` are further ones, each with its line end."""
    body = f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n" if content else ""
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}{body}\r\n"
    return head.encode() + content


def read(number: int, query: str = "", *, headers: str = "") -> bytes:
    """Return a read that no other one repeats."""
    return call("GET", f"/api/v2/projects?pageIndex={number + 1}{query}", headers=headers)


def put(text: bytes, kind: str = "application/json") -> bytes:
    """Return a call with a body, of a job that does not exist."""
    return call("PUT", f"{JOBS}/no-such-job", content=text, kind=kind)


def many_names(number: int) -> bytes:
    return read(number, "".join(f"&a{number % 90 + 10}{each:x}" for each in range(4000)))


def wide_names(number: int) -> bytes:
    return read(
        number, "&" + quote("".join(chr(0x1F600 + each % 40) + "a" * 100 + "&" for each in range(250)), safe="&a")
    )


def long_query(number: int) -> bytes:
    return read(number, f"&a={'x' * _HEAD}")


def wide_query(number: int) -> bytes:
    return read(number, f"&a={quote(WIDE)}{'x' * _HEAD}")


def long_accept(number: int) -> bytes:
    return read(number, headers=f"Accept: application/json{',a/b' * (_HEAD // 4)}\r\n")


def many_headers(number: int) -> bytes:
    return read(number, headers="".join(f"x{each:02x}: yz{each:02x}\r\n" for each in range(245)))


def long_headers(number: int) -> bytes:
    return read(number, headers="".join(f"x{each:02x}: {'y' * 1000}\r\n" for each in range(40)))


def wide_path(number: int) -> bytes:
    return call("GET", f"{JOBS}/{number}{quote(WIDE)}{'x' * _HEAD}")


def signed(number: int) -> bytes:
    query = "&".join(f"{each:x}" for each in range(3000))
    headers = "Authorization: acs test:wrong\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    return read(number, f"&{query}", headers=headers + "".join(f"x-acs-{each:02x}: yz\r\n" for each in range(200)))


def form_of_names(number: int) -> bytes:
    return put("&".join(f"{number:x}n{each:x}" for each in range(4000)).encode(), FORM)


def form_of_text(number: int) -> bytes:
    return put(f"code={number}{WIDE}{'x' * 60_000}".encode(), FORM)


def json_lists(number: int) -> bytes:
    return put(json.dumps({f"a{number}": [[]] * 19_000}).encode())


def json_objects(number: int) -> bytes:
    return put(json.dumps({f"a{number}": [{"b": each} for each in range(9000)]}).encode())


def json_numbers(number: int) -> bytes:
    return put(json.dumps({f"a{number}": [10**9 + each for each in range(19_000)]}).encode())


def json_levels(number: int) -> bytes:
    deep = "[" * 90 + "]" * 90
    return put(f'{{"a{number}":[{",".join([deep] * 200)}]}}'.encode())


def json_texts(number: int) -> bytes:
    return put(json.dumps({f"a{number}": [f"{WIDE}{each}" for each in range(19_000)]}).encode())


def verify(**expected: Any) -> bytes:
    """Return a verification that waits."""
    text = json.dumps({"operation": "CreateJob", "timeout": "5m", **expected}, ensure_ascii=False)
    return call("POST", "/_emulator/worlds/default/journal/verify", content=text.encode())


def tunnel(port: int) -> bytes:
    """Return the head that asks a proxy for a connection to a port of this machine."""
    return f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode()


def endless_upload(port: int) -> bytes:
    """Return the head of a request that a proxy passes on, whose body never ends."""
    return f"POST http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {10**12}\r\n\r\n".encode()


def compare(name: str, content: bytes) -> bytes:
    """Return a form of the console that compares a file with a world; `TOKEN` stands for the token of the form."""
    parts = b""
    for field, value in (
        (f'"left_file"; filename="{name}"', content),
        ('"right"', b"default"),
        ('"token"', TOKEN),
    ):
        parts += f"--b\r\nContent-Disposition: form-data; name={field}\r\n\r\n".encode() + value + b"\r\n"
    return call("POST", COMPARE, content=parts + b"--b--\r\n", kind=f"{PARTED}; boundary=b")


def world_of_texts(number: int) -> bytes:
    jobs = [{"JobName": f"j{each}", "Code": f"{number}{WIDE}{'x' * 500_000}"} for each in range(4)]
    return _world(number, {"projects": [{"Name": "p", "jobs": jobs}]})


def world_of_rows(number: int) -> bytes:
    jobs = [{"JobName": f"j{each}", "instances": [{"ActualState": "FAILED"}]} for each in range(2000)]
    return _world(number, {"projects": [{"Name": f"p{number}", "jobs": jobs}]})


def _world(number: int, seed: Any) -> bytes:
    return call("PUT", f"/_emulator/worlds/w{number}", content=json.dumps({"seed": seed}).encode())


CALLS: Mapping[str, Shape] = {
    "short": read,
    "many names": many_names,
    "wide names": wide_names,
    "long query": long_query,
    "wide query": wide_query,
    "wide path": wide_path,
    "long Accept": long_accept,
    "many headers": many_headers,
    "long headers": long_headers,
    "wrong signatures": signed,
}
BODIES: Mapping[str, Shape] = {
    "form of names": form_of_names,
    "form of text": form_of_text,
    "JSON lists": json_lists,
    "JSON objects": json_objects,
    "JSON numbers": json_numbers,
    "JSON levels": json_levels,
    "JSON texts": json_texts,
}
