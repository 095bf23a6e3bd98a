"""Files that make programs in each language trust the emulator's certificates in addition to the system's roots."""

import json
import os
import ssl
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files
from pathlib import Path

from foas_emulator.interception.hosts import FOAS, LOCATION

STORE_PASSWORD = "changeit"  # noqa: S105 - what Java's own stores have; it protects nothing secret
_MOST_ROOTS = 2000
_OF_USERS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Variables, to be set anew, that may name files of roots which this machine's Python does not know."""

_JKS_MAGIC, _JKS_VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_JKS_SALT = b"Mighty Aphrodite"

_CERTIFI = """# foas-emulator put this before the package certifi: the same roots and its own.

__version__ = "9999.0.0"


def where():
    return {bundle!r}


def contents():
    with open(where(), encoding="ascii") as bundle:
        return bundle.read()
"""


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """The files in a directory that only its user can read: certificates in the form that each language reads."""

    directory: Path

    @property
    def authority(self) -> Path:
        """The emulator's own root only, as PEM."""
        return self.directory / "authority.pem"

    @property
    def bundle(self) -> Path:
        """The system's and the user's roots and the emulator's, as PEM."""
        return self.directory / "bundle.pem"

    @property
    def java_store(self) -> Path:
        """The same roots as a Java key store."""
        return self.directory / "trust.jks"

    @property
    def node_preload(self) -> Path:
        """A module that Node loads first."""
        return self.directory / "preload.cjs"

    @property
    def python_directory(self) -> Path:
        """A directory with a package `certifi` that has the roots of the bundle; some SDKs use no others."""
        return self.directory / "python"

    @property
    def php_directory(self) -> Path:
        """A directory with additional PHP settings."""
        return self.directory / "php"


def write_trust(directory: Path, authority: bytes, *, node: Mapping[str, object]) -> TrustFiles:
    """Write the files for an authority, given as PEM, into an existing directory that only its user can access.

    `node` has the ports to which Node connects and the hosts that it may reach: `plain`, `secure` and `allowed`.
    """
    written = TrustFiles(directory)
    roots = [*system_roots(), ssl.PEM_cert_to_DER_cert(authority.decode("ascii"))]
    _write(written.authority, authority)
    _write(written.bundle, "".join(map(ssl.DER_cert_to_PEM_cert, roots)).encode())
    _write(written.java_store, java_store(roots))
    _write(written.node_preload, files("foas_emulator.interception").joinpath("preload.cjs").read_bytes())
    _write(directory / "node.json", json.dumps({"foas": FOAS, "location": LOCATION, **node}).encode())
    certifi = written.python_directory / "certifi"
    written.python_directory.mkdir(mode=0o700, exist_ok=True)
    certifi.mkdir(mode=0o700, exist_ok=True)
    _write(certifi / "__init__.py", _CERTIFI.format(bundle=str(written.bundle)).encode())
    written.php_directory.mkdir(mode=0o700, exist_ok=True)
    settings = f'curl.cainfo="{written.bundle}"\nopenssl.cafile="{written.bundle}"\n'
    _write(written.php_directory / "foas-emulator.ini", settings.encode())
    return written


def system_roots() -> list[bytes]:
    """Return the certificates that this machine's Python or a variable of its user trusts, each once, as DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    roots = context.get_ca_certs(binary_form=True)
    if not roots:
        roots = list(_in_directory(ssl.get_default_verify_paths().capath))
    for file in filter(None, map(os.environ.get, _OF_USERS)):
        with suppress(OSError):  # a directory, or no file of certificates
            context.load_verify_locations(file)
    roots += context.get_ca_certs(binary_form=True)
    return list(dict.fromkeys(roots))[:_MOST_ROOTS]


def _in_directory(path: str | None) -> Iterable[bytes]:
    """Yield the certificates, as DER, of an OpenSSL directory, whose files are named after hashes."""
    for file in sorted(Path(path).glob("*.[0-9]"))[:_MOST_ROOTS] if path is not None else ():
        try:
            yield ssl.PEM_cert_to_DER_cert(file.read_text("ascii").strip())
        except (OSError, ValueError):
            continue


def java_store(certificates: Iterable[bytes]) -> bytes:
    """Return a store of trusted certificates, given as DER, that every version of Java reads (JKS, version 2)."""
    entries = [
        struct.pack(">I", _TRUSTED)
        + _java_text(f"root-{number}")
        + struct.pack(">Q", 0)
        + _java_text("X.509")
        + struct.pack(">I", len(certificate))
        + certificate
        for number, certificate in enumerate(certificates)
    ]
    content = struct.pack(">III", _JKS_MAGIC, _JKS_VERSION, len(entries)) + b"".join(entries)
    keyed = STORE_PASSWORD.encode("utf-16-be") + _JKS_SALT + content
    return content + sha1(keyed, usedforsecurity=False).digest()


def _java_text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")


def _write(file: Path, content: bytes) -> None:
    with open(file, "wb", opener=_open_private) as stream:
        stream.write(content)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
