"""Certificates made at start, for serving https where nobody brings one, under this machine's names and foas's own."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import trustme

from foas_emulator.interception import hosts

NAMES = ("localhost", "127.0.0.1", "::1")
_MOST_NAMES = 256
"""Names that are certified at a time beside those of the start."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files with a certificate and its key, and the authority that clients have to trust, as PEM."""

    certificate: Path
    key: Path
    authority: bytes


class Authority:
    """A root that is made at start, lives in memory, and signs certificates until the server stops."""

    def __init__(self) -> None:
        self._root = trustme.CA(organization_name="foas-emulator")

    @property
    def pem(self) -> bytes:
        """What clients have to trust."""
        return self._root.cert_pem.bytes()

    def write_certificate(self, host: str, directory: Path) -> Certificate:
        """A certificate for this machine's loopback names, `host` and the hosts of foas, written into a directory."""
        own = NAMES if host in (*NAMES, "0.0.0.0", "::") else (host, *NAMES)  # noqa: S104 - not bound here
        leaf = self._root.issue_cert(*own, *hosts.NAMES)
        certificate, key = directory / "certificate.pem", directory / "key.pem"
        certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        key.touch(mode=0o600)
        key.write_bytes(leaf.private_key_pem.bytes())
        return Certificate(certificate, key, self.pem)

    def context(self, certifies: Callable[[str], bool]) -> ssl.SSLContext:
        """A server's context that has a certificate for every name that a client asks for and `certifies` says yes to.

        Whoever asks for another name, or for none, gets that of this machine.
        """

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name is not None and certifies(name.lower()):
                with suppress(ValueError):  # no certificate can be made for some names, such as foas.-.aliyuncs.com
                    connection.context = certified(name.lower())

        certified = lru_cache(maxsize=_MOST_NAMES)(self._context)
        context = self._context(*NAMES)
        context.sni_callback = choose
        return context

    def _context(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._root.issue_cert(*names).configure_cert(context)
        return context


def make_certificate(host: str, directory: Path) -> Certificate:
    """A certificate of an authority of its own, as `Authority.write_certificate` makes it."""
    return Authority().write_certificate(host, directory)
