"""The files that make programs trust the emulator."""

import errno
import os
import shutil
import ssl
import stat
import subprocess
from pathlib import Path

import pytest

from foas_emulator.interception.hosts import NAMES, is_ours
from foas_emulator.interception.trust import STORE_PASSWORD, java_store, system_roots, write_trust
from foas_emulator.interception.variables import Destination, variables
from foas_emulator.serving.certificates import Authority
from tests.clients.builds import do_without

NODE = {"plain": 1, "secure": 2, "allowed": []}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def test_the_bundle_is_the_systems_roots_and_ours(authority: Authority, tmp_path: Path) -> None:
    files = write_trust(tmp_path, authority.pem, node=NODE)
    context = ssl.create_default_context(cafile=str(files.bundle))
    trusted = set(context.get_ca_certs(binary_form=True))
    assert trusted >= {ssl.PEM_cert_to_DER_cert(authority.pem.decode()), *system_roots()[:5]}


def test_no_one_else_can_read_the_files(authority: Authority, tmp_path: Path) -> None:
    write_trust(tmp_path, authority.pem, node=NODE)
    files = [*tmp_path.rglob("*")]
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_java_reads_the_store(authority: Authority, tmp_path: Path) -> None:
    if shutil.which("keytool") is None:
        do_without("keytool is not installed")
    store = tmp_path / "trust.jks"
    store.write_bytes(java_store([ssl.PEM_cert_to_DER_cert(authority.pem.decode()), *system_roots()]))
    listing = ["keytool", "-list", "-keystore", str(store), "-storepass", STORE_PASSWORD]
    told = subprocess.run(listing, capture_output=True, encoding="utf-8", check=True).stdout
    assert told.count("trustedCertEntry") == 1 + len(system_roots())


def test_a_certificate_of_the_start_names_every_public_host(authority: Authority) -> None:
    assert {("DNS", name) for name in NAMES} <= names_in(authority.context_for("127.0.0.1"), authority)


@pytest.mark.parametrize("host", ["my_host", "a b", "[::1]", "xn--a"])
def test_a_host_that_no_certificate_can_name_is_reported_and_left_out(
    authority: Authority, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    named = names_in(authority.context_for(host), authority)
    assert {("DNS", "localhost"), ("DNS", NAMES[0])} <= named
    assert f"the certificate does not name {host!r}" in caplog.text


def test_a_name_is_certified_when_it_is_asked_for_and_no_other(authority: Authority) -> None:
    context = authority.context(is_ours)
    trusting = ssl.create_default_context(cadata=authority.pem.decode())
    for name, trusted in (("foas.cn-nowhere-1.aliyuncs.com", True), ("localhost", True), ("ecs.aliyuncs.com", False)):
        try:
            shake_hands(trusting, context, name)
        except ssl.SSLCertVerificationError:
            assert not trusted, name
        else:
            assert trusted, name


def test_a_client_that_asks_for_no_name_meets_every_public_host(authority: Authority) -> None:
    """The Python core SDK is such a client from Python 3.12 on, and checks the name nevertheless."""
    assert {("DNS", name) for name in NAMES} <= names_in(authority.context(is_ours), authority)


def test_public_hosts_are_certified_though_no_key_can_be_written(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    context = authority.context(is_ours)
    trusting = ssl.create_default_context(cadata=authority.pem.decode())

    def write(*_: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", write)
        shake_hands(trusting, context, NAMES[1])
    assert f"no certificate for {NAMES[1]} alone" in caplog.text
    met = shake_hands(trusting, context, NAMES[1]).getpeercert()
    assert met is not None
    assert met["subjectAltName"] == (("DNS", NAMES[1]),), "and one for each again when there is room"


def names_in(server: ssl.SSLContext, authority: Authority) -> frozenset[object]:
    """The names in the certificate that a client gets which asks for none."""
    trusting = ssl.create_default_context(cadata=authority.pem.decode())
    trusting.check_hostname = False
    met = shake_hands(trusting, server, None).getpeercert()
    assert met is not None
    return frozenset(met["subjectAltName"])


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str | None) -> ssl.SSLObject:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there, server_hostname=name)
    sides = [asking, server.wrap_bio(there, back, server_side=True)]
    while sides:
        for side in list(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)
    return asking


def test_variables_keep_what_their_lists_hold_but_nothing_that_lets_a_call_pass_by(
    authority: Authority, tmp_path: Path
) -> None:
    files = write_trust(tmp_path, authority.pem, node=NODE)
    destination = Destination(url="http://127.0.0.1:1", proxy="http://127.0.0.1:2", world="w", files=files)
    before = {
        "NO_PROXY": "db.internal.example.com,*,.aliyuncs.com,foas.cn-hangzhou.aliyuncs.com,.com,"
        "Foas.Aliyuncs.com,foas.aliyuncs.com:443,foas.aliyuncs.com. aliyuncs.com\tcache.internal",
        "NODE_OPTIONS": "--trace-warnings",
        "JAVA_TOOL_OPTIONS": "-Xmx1g",
        "PYTHONPATH": "src",
    }
    given = variables(destination, before)
    assert given["NO_PROXY"] == "localhost,127.0.0.1,::1,db.internal.example.com,cache.internal"
    assert given["NODE_OPTIONS"].startswith("--trace-warnings --require ")
    assert given["JAVA_TOOL_OPTIONS"].startswith("-Xmx1g -Djavax.net.ssl.trustStore=")
    assert given["PYTHONPATH"].endswith(":src")
    assert given["ALIBABA_CLOUD_ACCESS_KEY_ID"] == "world-w"


def test_both_lists_of_hosts_without_a_proxy_are_kept(authority: Authority, tmp_path: Path) -> None:
    files = write_trust(tmp_path, authority.pem, node=NODE)
    destination = Destination(url="http://127.0.0.1:1", proxy="http://127.0.0.1:2", world="w", files=files)
    given = variables(
        destination, {"NO_PROXY": "db.internal,both.internal", "no_proxy": "both.internal,cache.internal"}
    )
    assert given["NO_PROXY"] == given["no_proxy"] == "localhost,127.0.0.1,::1,db.internal,both.internal,cache.internal"


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])
def test_roots_that_a_variable_of_the_user_names_are_trusted_as_before(
    name: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Authority()
    (tmp_path / "own.pem").write_bytes(own.pem)
    monkeypatch.setenv(name, str(tmp_path / "own.pem"))
    files = write_trust(tmp_path, authority.pem, node=NODE)
    destination = Destination(url="http://127.0.0.1:1", proxy="http://127.0.0.1:2", world="w", files=files)
    given = variables(destination, {name: str(tmp_path / "own.pem")})
    trusting = ssl.create_default_context(cafile=given[name])
    for each in (own, authority):
        shake_hands(trusting, each.context(is_ours), NAMES[0])


@pytest.mark.parametrize("text", [None, "nonsense", "directory"])
def test_a_variable_that_names_no_roots_changes_nothing(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text == "directory":
        (tmp_path / "own.pem").mkdir()
    elif text is not None:
        (tmp_path / "own.pem").write_text(text)
    before = system_roots()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
    assert system_roots() == before


@pytest.mark.parametrize(("allowed", "trusted"), [((), "authority.pem"), (("oss.example.com",), "bundle.pem")])
def test_the_python_sdk_trusts_the_systems_roots_where_it_can_meet_them(
    authority: Authority, tmp_path: Path, allowed: tuple[str, ...], trusted: str
) -> None:
    files = write_trust(tmp_path, authority.pem, node=NODE)
    destination = Destination(
        url="http://127.0.0.1:1", proxy="http://127.0.0.1:2", world="w", files=files, allowed=allowed
    )
    given = variables(destination, {})
    assert given["ALIBABA_CLOUD_CA_BUNDLE"] == str(tmp_path / trusted)
    assert given["REQUESTS_CA_BUNDLE"] == str(tmp_path / "bundle.pem")


_NODE_PROGRAM = """
const net = require('net');
net.Socket.prototype.connect = function (...args) {
  console.log((Array.isArray(args[0]) ? args[0][0] : args[0]).port);
  process.nextTick(() => this.destroy());
  return this;
};
require(process.argv[1]);
const host = 'foas.cn-hangzhou.aliyuncs.com';
const ask = (kind, port) => require(kind).get({ host, port }).on('error', () => {});
for (const port of [80, 8080]) ask('http', port);
for (const port of [443, 8443]) ask('https', port);
net.connect({ host, port: 443 });
"""


def test_node_reaches_the_port_for_http_or_for_https_whatever_port_the_program_names(
    authority: Authority, tmp_path: Path
) -> None:
    if shutil.which("node") is None:
        do_without("node is not installed")
    files = write_trust(tmp_path, authority.pem, node=NODE)
    command = ["node", "-e", _NODE_PROGRAM, str(files.node_preload)]
    told = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env={"PATH": os.environ["PATH"]})
    assert told.stdout.split() == ["1", "1", "2", "2", "2"], told.stderr
