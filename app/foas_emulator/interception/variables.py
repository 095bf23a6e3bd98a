"""The environment variables that lead a program that names no endpoint to a world of the emulator."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from foas_emulator import loopback
from foas_emulator.gateway.access_keys import WORLD_SECRET
from foas_emulator.interception.trust import STORE_PASSWORD, TrustFiles

_BYPASSES = re.compile(r"\*?\.?(?:(?:com|(?:.*\.)?aliyuncs\.com)\.?)?(?::[0-9]*)?", re.IGNORECASE)
"""Entries of NO_PROXY that would let calls of the service bypass the proxy: "", `*`, `.com`, `foas.aliyuncs.com`."""
_BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The destination of programs: the emulator's address, its proxy's, a world there, and the files to trust.

    `allowed` are the other hosts that the proxy lets them reach.
    """

    url: str
    proxy: str
    world: str
    files: TrustFiles
    allowed: Sequence[str] = ()


def variables(destination: Destination, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to set in an environment; lists and options that it has already are extended."""
    files, proxy = destination.files, destination.proxy
    no_proxy = _no_proxy(",".join(environment.get(name, "") for name in ("NO_PROXY", "no_proxy")))
    # Node knows the system's roots, so all of them are for one that is to trust other ones, too.
    for_node = files.bundle if environment.get("NODE_EXTRA_CA_CERTS") else files.authority
    return {
        "FOAS_ENDPOINT": destination.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": f"world-{destination.world}",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": WORLD_SECRET,
        "ALIBABA_CLOUD_CREDENTIALS_URI": f"{destination.url}/_emulator/worlds/{destination.world}/credentials",
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        **dict.fromkeys(_BUNDLES, str(files.bundle)),
        # For the Python SDK, which always uses the proxy: reading all roots would take 20 ms in each client.
        "ALIBABA_CLOUD_CA_BUNDLE": str(files.bundle if destination.allowed else files.authority),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(files.python_directory), environment.get("PYTHONPATH")))),
        "NODE_EXTRA_CA_CERTS": str(for_node),
        "NODE_OPTIONS": _added(environment, "NODE_OPTIONS", f'--require "{_escaped(str(files.node_preload))}"'),
        "JAVA_TOOL_OPTIONS": _added(environment, "JAVA_TOOL_OPTIONS", _java_options(proxy, files)),
        "PHP_INI_SCAN_DIR": f"{environment.get('PHP_INI_SCAN_DIR', '')}{os.pathsep}{files.php_directory}",
    }


def _no_proxy(given: str) -> str:
    """Return the hosts to reach without a proxy: this machine, and those given, except hosts of the real cloud."""
    named = re.split(r"[,\s]+", given)  # programs differ in whether a space separates, too
    kept = [entry for entry in named if _BYPASSES.fullmatch(entry) is None]
    return ",".join(dict.fromkeys((*loopback.NAMES, *kept)))


def _java_options(proxy: str, files: TrustFiles) -> str:
    address = urlsplit(proxy)
    options = {
        "javax.net.ssl.trustStore": f'"{files.java_store}"',
        "javax.net.ssl.trustStorePassword": STORE_PASSWORD,
        "javax.net.ssl.trustStoreType": "JKS",
        "http.nonProxyHosts": '"localhost|127.*|[::1]"',
    }
    for scheme in ("http", "https"):
        options |= {f"{scheme}.proxyHost": address.hostname or "", f"{scheme}.proxyPort": str(address.port)}
    return " ".join(f"-D{name}={value}" for name, value in options.items())


def _added(environment: Mapping[str, str], name: str, options: str) -> str:
    return f"{environment.get(name, '')} {options}".strip()


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"')
