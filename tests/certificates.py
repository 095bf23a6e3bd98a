"""A certificate of a user's own."""

from pathlib import Path
from typing import NamedTuple

import trustme


class Brought(NamedTuple):
    """Files with a certificate for 127.0.0.1 and its key, and the root to trust, as PEM."""

    certificate: Path
    key: Path
    root: str


def brought(directory: Path) -> Brought:
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    files = Brought(directory / "certificate.pem", directory / "key.pem", authority.cert_pem.bytes().decode())
    leaf.cert_chain_pems[0].write_to_path(files.certificate)
    files.key.touch(mode=0o600)
    leaf.private_key_pem.write_to_path(files.key)
    return files
