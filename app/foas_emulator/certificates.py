"""A certificate made at start, for serving https where nobody brings one."""

from dataclasses import dataclass
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files with a certificate and its key, and the authority that clients have to trust, as PEM."""

    certificate: Path
    key: Path
    authority: bytes


def make_certificate(host: str, directory: Path) -> Certificate:
    """A certificate for this machine's loopback names and `host`, written into a directory."""
    authority = trustme.CA(organization_name="foas-emulator")
    names = NAMES if host in (*NAMES, "0.0.0.0", "::") else (host, *NAMES)  # noqa: S104 - not bound here
    leaf = authority.issue_cert(*names)
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.touch(mode=0o600)
    key.write_bytes(leaf.private_key_pem.bytes())
    return Certificate(certificate, key, authority.cert_pem.bytes())
