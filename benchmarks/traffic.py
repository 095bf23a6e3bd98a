"""The requests that the load generator sends, byte for byte, as lua/replay.lua reads them."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from aliyunsdkcore.client import AcsClient  # type: ignore[import-untyped]
from aliyunsdkfoas.request.v20181111.GetInstanceRequest import GetInstanceRequest  # type: ignore[import-untyped]

PROJECT, JOB, INSTANCE = "project1", "job1", "412536"
INSTANCE_PATH = f"/api/v2/projects/{PROJECT}/jobs/{JOB}/instances/{INSTANCE}"

_ACCESS_KEY = _SECRET = "test"  # the key pair that every emulator knows
_REGION = "cn-hangzhou"


def get(path: str = INSTANCE_PATH, headers: Mapping[str, str] | None = None) -> bytes:
    """A GET request as it stands on the wire."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def signed_gets(count: int) -> Iterator[bytes]:
    """GetInstance `count` times as the official Python SDK composes and signs it, each with its own date and nonce.

    The SDK sends no nonce for this style of API by itself; it is given as one more header, which the SDK then signs.
    """
    client = AcsClient(_ACCESS_KEY, _SECRET, _REGION)
    for _ in range(count):
        request = GetInstanceRequest()
        request.set_projectName(PROJECT)
        request.set_jobName(JOB)
        request.set_instanceId(INSTANCE)
        request.set_accept_format("JSON")
        request.add_header("Accept-Encoding", "identity")
        request.add_header("x-acs-signature-nonce", str(uuid.uuid4()))
        composed = client._make_http_response("127.0.0.1", request, None, None)  # noqa: SLF001 - what it would send
        yield get(composed.get_url(), composed.get_headers())


def forged(request: bytes) -> bytes:
    """The request with the first character of its signature altered."""
    before, key, signature = request.partition(f"Authorization: acs {_ACCESS_KEY}:".encode())
    return before + key + (b"B" if signature.startswith(b"A") else b"A") + signature[1:]


def record(file: Path, requests: Iterable[bytes]) -> Path:
    """Write the requests into the file that lua/replay.lua is given."""
    with file.open("wb") as out:
        for request in requests:
            out.write(b"%d\n%s" % (len(request), request))
    return file
