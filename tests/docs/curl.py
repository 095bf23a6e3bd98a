"""As much of curl as the pages use, so that their examples run where there is none."""

import http.client
import shlex
from pathlib import Path
from urllib.parse import urlsplit

PAGE_ADDRESS = "http://127.0.0.1:8018"
"""The address that the examples of the pages have."""


def run_curl(command: str, *, url: str, directory: Path) -> str:
    """Send what a curl command of a page sends, to a server at `url`; answers the body. Refusals fail."""
    program, *words = shlex.split(command.replace(PAGE_ADDRESS, url))
    assert program == "curl"
    method, target, body, file = "", "", None, None
    headers: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(":")
            headers[name] = value.strip()
        elif word in ("-d", "--data-binary"):
            given = words.pop(0)
            body = (directory / given[1:]).read_bytes() if given.startswith("@") else given.encode()
            headers.setdefault("content-type", "application/x-www-form-urlencoded")
        elif word == "-o":
            file = directory / words.pop(0)
        else:
            assert word.startswith(url), f"the pages' curl does not know {word}"
            target = word.removeprefix(url)
    answer = _send(url, method or ("GET" if body is None else "POST"), target, body, headers)
    if file is not None:
        file.write_text(answer, "utf-8")
    return answer


def _send(url: str, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        assert response.status < 300, f"{method} {target}: {response.status} {text}"
        return text
    finally:
        connection.close()
