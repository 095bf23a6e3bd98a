"""The environment of whoever runs the tests must not affect what is tested, only what fetches and builds."""

import os
import re
import signal
from collections.abc import Mapping

GIVEN: Mapping[str, str] = dict(os.environ)
"""The variables as they were given, proxies among them, for tools that fetch packages."""

STEERS = re.compile(
    r"FOASEMU_.*|FOAS_.*|WEB_CONCURRENCY"  # the emulator, and those who look for one
    r"|.*_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"  # every client
    r"|(ALIBABA_?CLOUD|ALICLOUD)_.*|DEBUG"  # the official SDKs
    r"|COLUMNS|LINES|NO_COLOR|(FORCE|PY|CLICOLOR).*_?COLORS?|CLICOLOR.*"  # what is printed
    r"|PYTEST_ADDOPTS|PYTHONIOENCODING|MAKEFLAGS|MFLAGS|MAKELEVEL",  # a Python, a pytest or a make inside of a test
    re.IGNORECASE,
)


def forget() -> None:
    """Take what steers away from this process, and so from all that it starts: variables, and an ignored SIGHUP."""
    for name in [name for name in os.environ if STEERS.fullmatch(name)]:
        del os.environ[name]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
