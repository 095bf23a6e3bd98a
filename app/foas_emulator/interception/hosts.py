"""The host names that lead to the emulator, and a proxy's policy for all others."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

FOAS = r"foas(?:-[a-z0-9]+){0,2}(?:\.[a-z0-9-]+)?\.aliyuncs\.com"
"""All forms of the service's host names: central, of a region, and of a network such as `foas-vpc.cn-hangzhou`."""
LOCATION = r"location(?:-[a-z]+)?(?:\.[a-z0-9-]+)?\.aliyuncs\.com"
"""The hosts at which an SDK looks up the endpoint of a region that is missing in its own tables."""

REGIONS = (
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "cn-beijing",
    "cn-chengdu",
    "cn-hangzhou",
    "cn-hangzhou-finance",
    "cn-heyuan",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shanghai-finance-1",
    "cn-shenzhen",
    "cn-shenzhen-finance-1",
    "cn-zhangjiakou",
    "eu-central-1",
    "eu-west-1",
    "me-east-1",
    "us-east-1",
    "us-west-1",
)
"""The public regions of the SDKs' tables; source: endpoints.json of aliyun-python-sdk-core 2.16, the foas packages."""

NAMES = (
    "foas.aliyuncs.com",
    *(f"foas.{region}.aliyuncs.com" for region in REGIONS),
    *(f"foas-vpc.{region}.aliyuncs.com" for region in REGIONS),
    "location.aliyuncs.com",
    "location-readonly.aliyuncs.com",
)
"""The names in the certificate made at start; others get one when a client asks for them."""

_FOAS = re.compile(FOAS)
_LOCATION = re.compile(LOCATION)
_HOST = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f:]+")
_NOT_IN_HOSTS = re.compile(r"[^A-Za-z0-9.:_-]")
_PLAIN_HTTP = 80


def is_foas(host: str) -> bool:
    """Whether a name, in lower case, is a host of the service."""
    return _FOAS.fullmatch(host) is not None


def is_location(host: str) -> bool:
    """Whether a name, in lower case, is a host of the location service."""
    return _LOCATION.fullmatch(host) is not None


def is_ours(host: str) -> bool:
    """Whether the emulator answers for this name, given in lower case."""
    return is_foas(host) or is_location(host)


@dataclass(frozen=True, slots=True)
class ToEmulator:
    """A connection that goes to the emulator, in TLS or in plain http."""

    secure: bool


@dataclass(frozen=True, slots=True)
class PassThrough:
    """A connection that goes to its original destination, unchanged."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A connection that the proxy refuses; the sentence says why, and what to do about it."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A proxy's policy: let the hosts in `allowed` through, exact or as `*.example.com`, and loopback if it is set."""

    allowed: tuple[str, ...] = ()
    loopback: bool = True

    def route(self, host: str, port: int) -> ToEmulator | PassThrough | Refused:
        """Return the route of a connection to a host, given as the client writes it."""
        name = normalized(host)
        if is_ours(name):
            return ToEmulator(secure=port != _PLAIN_HTTP)
        if self._allows(name) or (self.loopback and _is_loopback(name)):
            return PassThrough(name, port)
        shown = _NOT_IN_HOSTS.sub("?", name[:100])
        return Refused(
            f"foas-emulator does not connect to {shown}: only the hosts of foas lead to it, and a test must not reach "
            f"anything else by accident. --intercept-allow {shown} lets this one through."
        )

    def _allows(self, name: str) -> bool:
        return any(name == entry or (entry[0] == "*" and name.endswith(entry[1:])) for entry in self.allowed)


def read_allowed(entries: Iterable[str]) -> tuple[str, ...]:
    """Return the host names to let through, in lower case. Raise ValueError for one that is not valid or is ours."""
    allowed = tuple(normalized(entry) for entry in entries)
    for entry in allowed:
        if _HOST.fullmatch(entry) is None:
            raise ValueError(f"{entry!r} is not a host: give a name without scheme and port, or *.example.com")
        if is_ours(entry) or entry == "*.aliyuncs.com":
            raise ValueError(f"{entry!r} is a host of foas, which is what the proxy takes in")
    return allowed


def normalized(host: str) -> str:
    """Return a host in lower case, without the brackets of an IPv6 address and the dot of the root."""
    return host.lower().removeprefix("[").removesuffix("]").removesuffix(".")


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
