"""The servers that the emulator is compared with: how each is installed, started and made to answer alike."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import peer_documents
from benchmarks.cache import Cache, java, node
from benchmarks.servers import MeasurementError, Server, ask
from benchmarks.traffic import INSTANCE_PATH

EMULATOR = "foas-emulator"
RAW_ASGI = "raw ASGI"
PRISM = "Prism"
WIREMOCK = "WireMock (tuned)"
MOCKOON = "Mockoon"
JSON_SERVER = "json-server"
STRIPE_MOCK = "stripe-mock"
MOTO = "moto"

_STRIPE_MOCK_VERSION = "v0.203.0"
_MOTO_VERSION = "5.2.5"
_WIREMOCK_VERSION = "3.13.2"
_PRISM_VERSION = "5.16.0"
_MOCKOON_VERSION = "9.9.0"
_JSON_SERVER_VERSION = "0.17.4"


def _nothing(port: int) -> None:
    """Most servers have their document from the start."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that answers GetInstance.

    `ready_path` is answered 200 as soon as it is up, `load` then gives it what it could not be started with,
    `headers` is what it insists on, `warms_up` says that it gets faster while it runs.
    """

    name: str
    version: str
    command: tuple[str, ...]
    ready_path: str = INSTANCE_PATH
    headers: Mapping[str, str] = field(default_factory=dict)
    load: Callable[[int], None] = _nothing
    warms_up: bool = False
    directory: Path | None = None

    def server(self) -> Server:
        """The server, not yet started and without its document."""
        return Server(self.name, self.command, self.ready_path, self.headers, self.directory)

    @contextmanager
    def serving(self, document: bytes) -> Iterator[Server]:
        """The server, started, loaded and seen to answer the document."""
        with self.server() as server:
            self.load(server.port)
            answer = ask(server.port, "GET", INSTANCE_PATH, headers=self.headers)
            if not answer.is_good or _instance(answer.body) != _instance(document):
                raise MeasurementError(f"the server does not answer the document, but {answer.status}")
            yield server


def _instance(body: bytes) -> Any:
    return json.loads(body)["Instance"]


def emulator(*options: str) -> Peer:
    """The emulator as shipped, with its default seed; `options` are further words of its command line."""
    command = (sys.executable, "-m", "foas_emulator", "serve", "--port", "{port}", *options)
    return Peer(EMULATOR, "", command)


def raw_asgi(cache: Cache, document: bytes) -> Peer:
    """Fixed bytes on the same uvicorn."""
    body = cache.directory("raw-asgi") / "body"
    body.write_bytes(document)
    script = Path(__file__).parent / "raw_asgi.py"
    return Peer(RAW_ASGI, "", (sys.executable, str(script), "{port}", str(body)))


def prism(cache: Cache, document: bytes) -> Peer:
    """Prism, silent, answering the example of an OpenAPI document."""
    program = cache.npm_package(f"@stoplight/prism-cli@{_PRISM_VERSION}", "@stoplight/prism-cli/dist/index.js")
    spec = _write(cache.directory("prism") / "openapi.json", peer_documents.openapi(json.loads(document)))
    command = (node(), str(program), "mock", "--port", "{port}", "--verboseLevel", "silent", str(spec))
    return Peer(PRISM, _PRISM_VERSION, command)


def wiremock(cache: Cache, document: bytes) -> Peer:
    """WireMock without its journal, log, templates and compression."""
    jar = cache.npm_package(
        f"wiremock@{_WIREMOCK_VERSION}", f"wiremock/build/wiremock-standalone-{_WIREMOCK_VERSION}.jar"
    )
    root = cache.directory("wiremock")
    (root / "mappings").mkdir(exist_ok=True)
    _write(root / "mappings" / "get_instance.json", peer_documents.wiremock_stub(json.loads(document)))
    tuning = ("--no-request-journal", "--disable-request-logging", "--disable-response-templating", "--disable-gzip")
    quick_start = ("--disable-extensions-scanning", "--disable-banner")
    command = (java(), "-jar", str(jar), "--port", "{port}", "--root-dir", str(root), *tuning, *quick_start)
    return Peer(WIREMOCK, _WIREMOCK_VERSION, command, warms_up=True)


def mockoon(cache: Cache, document: bytes) -> Peer:
    """Mockoon with one route and neither a log file nor its administration API."""
    program = cache.npm_package(f"@mockoon/cli@{_MOCKOON_VERSION}", "@mockoon/cli/bin/run.js")
    data = _write(cache.directory("mockoon") / "data.json", peer_documents.mockoon_environment(json.loads(document)))
    options = ("--disable-log-to-file", "--disable-admin-api")
    return Peer(
        MOCKOON, _MOCKOON_VERSION, (node(), str(program), "start", "--data", str(data), "--port", "{port}", *options)
    )


def json_server(cache: Cache, document: bytes) -> Peer:
    """json-server with one collection and the service's path mapped to it, quiet and uncompressed."""
    program = cache.npm_package(f"json-server@{_JSON_SERVER_VERSION}", "json-server/lib/cli/bin.js")
    home = cache.directory("json-server")
    database = _write(home / "db.json", peer_documents.json_server_database(json.loads(document)))
    routes = _write(home / "routes.json", peer_documents.json_server_routes())
    options = ("--host", "127.0.0.1", "--routes", str(routes), "--quiet", "--no-gzip", "--no-cors")
    return Peer(JSON_SERVER, _JSON_SERVER_VERSION, (node(), str(program), "--port", "{port}", *options, str(database)))


def stripe_mock(cache: Cache, document: bytes) -> Peer:
    """stripe-mock with a specification of this one operation."""
    program = cache.go_program(f"github.com/stripe/stripe-mock@{_STRIPE_MOCK_VERSION}")
    home = cache.directory("stripe-mock")
    spec = _write(home / "spec.json", peer_documents.stripe_spec(json.loads(document)))
    fixtures = _write(home / "fixtures.json", peer_documents.stripe_fixtures(json.loads(document)))
    command = (str(program), "-http-addr", "127.0.0.1:{port}", "-spec", str(spec), "-fixtures", str(fixtures))
    return Peer(
        STRIPE_MOCK, _STRIPE_MOCK_VERSION.lstrip("v"), command, headers={"Authorization": "Bearer sk_test_benchmark"}
    )


def moto(cache: Cache, document: bytes) -> Peer:
    """The server of moto; the document is an S3 object whose bucket and key spell the same path."""
    program = cache.python_package(f"moto[server,s3]=={_MOTO_VERSION}", "moto_server")
    _, bucket, key = INSTANCE_PATH.split("/", 2)

    def put_object(port: int) -> None:
        for path, body in ((f"/{bucket}", b""), (f"/{bucket}/{key}", document)):
            answer = ask(port, "PUT", path, headers={"x-amz-acl": "public-read"}, body=body)
            if not answer.is_good:
                raise MeasurementError(f"the server answered {answer.status} to PUT {path}")

    return Peer(MOTO, _MOTO_VERSION, (str(program), "--port", "{port}"), ready_path="/", load=put_object)


PEERS: Mapping[str, Callable[[Cache, bytes], Peer]] = {
    RAW_ASGI: raw_asgi,
    PRISM: prism,
    WIREMOCK: wiremock,
    MOCKOON: mockoon,
    JSON_SERVER: json_server,
    STRIPE_MOCK: stripe_mock,
    MOTO: moto,
}


def _write(file: Path, content: Mapping[str, Any]) -> Path:
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return file
