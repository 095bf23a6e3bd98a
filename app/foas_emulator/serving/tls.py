"""What https is served with: a certificate of the user's, or one that is made at start."""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from foas_emulator.gateway.encodings import foreign_encoding
from foas_emulator.setting_files import warn_of_readers
from foas_emulator.settings import SettingError

if TYPE_CHECKING:
    from foas_emulator.serving.certificates import Authority


def new_authority() -> "Authority":
    """Return a root that signs certificates from now on."""
    # The library that makes certificates takes a tenth of a second to import.
    from foas_emulator.serving.certificates import Authority  # noqa: PLC0415

    return Authority()


def context_of_files(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a TLS context with a user's files; never ask for a password. Raise `SettingError` if they do not fit."""
    for name, file in (("tls_cert", certificate), ("tls_key", key)):
        try:
            found = foreign_encoding(file.read_bytes())
        except OSError as error:
            raise SettingError(name, f"{file} cannot be read: {error.strerror}") from None
        if found is not None:
            raise SettingError(name, f"{file} is {found}; save it as ASCII")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except (OSError, ValueError) as error:
        reason = f"https cannot be served with the certificate {certificate} and the key {key}: {error}"
        raise SettingError("tls_cert", reason) from None
    warn_of_readers("tls_key", key)
    return context


def _refuse_password() -> str:
    raise ValueError("the key is encrypted; give one without a password")
