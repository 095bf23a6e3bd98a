"""Certificates made at start for the names of this machine and of foas, to serve https without the user's own."""

import logging
import ssl
from collections.abc import Callable
from functools import lru_cache

import trustme

from foas_emulator import loopback
from foas_emulator.interception import hosts
from foas_emulator.temporary import temporary_directory, temporary_named

log = logging.getLogger(__name__)

_MOST_NAMES = 256
"""The most certificates to cache in addition to the one made at start."""


class Authority:
    """A root that is made at start, is kept in memory, and signs certificates until the server stops."""

    def __init__(self) -> None:
        self._root = trustme.CA(organization_name="foas-emulator")

    @property
    def pem(self) -> bytes:
        """The root certificate that clients have to trust, as PEM."""
        return self._root.cert_pem.bytes()

    def context_for(self, host: str) -> ssl.SSLContext:
        """Return a server's TLS context, with a certificate for the loopback names, `host` and foas's hosts."""
        own = loopback.NAMES if host in (*loopback.NAMES, "0.0.0.0", "::") else (host, *loopback.NAMES)  # noqa: S104 - not bound here
        try:
            return self._context(*own, *hosts.NAMES)
        except ValueError as error:  # such as a name with an underscore, or one at which nothing can listen
            log.warning("the certificate does not name %r: %s", host, error)
            return self._context(*loopback.NAMES, *hosts.NAMES)

    def context(self, certifies: Callable[[str], bool]) -> ssl.SSLContext:
        """Return a server's TLS context, with a certificate for every requested name that `certifies` accepts.

        A client that asks for another name gets the certificate of this machine and of every public host. So does one
        that asks for none, as the Python core SDK from Python 3.12 on, and every client while no more can be made.
        """

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name is not None and certifies(name.lower()):
                try:
                    connection.context = certified(name.lower())
                except ValueError:
                    pass  # no certificate can be made for some names, such as foas.-.aliyuncs.com
                except OSError as error:  # a key is loaded from a file, and the disk may be full
                    log.warning("there is no certificate for %s alone: %s", name, error)

        certified = lru_cache(maxsize=_MOST_NAMES)(self._context)
        context = self._context(*loopback.NAMES, *hosts.NAMES)
        context.sni_callback = choose
        return context

    def _context(self, *names: str) -> ssl.SSLContext:
        issued = self._root.issue_cert(*names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with temporary_directory() as directory, temporary_named():  # a process that is killed leaves no key behind
            file = directory / "certificate.pem"
            file.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
            context.load_cert_chain(file)
        return context
