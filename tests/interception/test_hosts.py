"""Which hosts lead to the emulator, which pass, and which are refused."""

import re
from pathlib import Path

import pytest

from foas_emulator.interception.hosts import NAMES, PassThrough, Policy, Refused, ToEmulator, is_ours, read_allowed

OURS = [
    *NAMES,
    "FOAS.cn-hangzhou.ALIYUNCS.com",
    "foas.cn-hangzhou.aliyuncs.com.",
    "foas.cn-nowhere-1.aliyuncs.com",
    "foas-vpc.cn-shanghai.aliyuncs.com",
    "location-readonly.cn-hangzhou.aliyuncs.com",
]
OTHERS = [
    "ecs.aliyuncs.com",
    "foas.example.com",
    "foas.aliyuncs.com.example.com",
    "evilfoas.aliyuncs.com",
    "foas.a.b.aliyuncs.com",
    "aliyuncs.com",
    "93.184.216.34",
    "",
]


@pytest.mark.parametrize("host", OURS)
def test_hosts_of_the_service_lead_to_the_emulator(host: str) -> None:
    assert Policy().route(host, 443) == ToEmulator(secure=True)
    assert Policy().route(host, 80) == ToEmulator(secure=False)


@pytest.mark.parametrize("host", OTHERS)
def test_any_other_host_is_refused_with_what_lets_it_through(host: str) -> None:
    route = Policy().route(host, 443)
    assert isinstance(route, Refused)
    assert f"--intercept-allow {host} " in route.sentence


def test_what_a_host_is_called_cannot_forge_a_line() -> None:
    route = Policy().route("a\r\nx-injected: 1" + "b" * 500, 443)
    assert isinstance(route, Refused)
    assert route.sentence.isprintable()
    assert len(route.sentence) < 500


def test_every_host_of_the_go_and_python_sdks_tables_is_ours() -> None:
    endpoint = pytest.importorskip("aliyunsdkfoas.endpoint")
    hosts = set(re.findall(r"foas[\w.-]*aliyuncs\.com", Path(endpoint.__file__).read_text("utf-8")))
    assert hosts
    assert all(map(is_ours, hosts))


def test_this_machine_passes_unless_others_reach_the_proxy() -> None:
    for host in ("localhost", "127.0.0.1", "127.9.9.9", "[::1]"):
        assert isinstance(Policy().route(host, 5432), PassThrough)
        assert isinstance(Policy(loopback=False).route(host, 5432), Refused)


def test_hosts_that_are_allowed_pass_exactly_or_below_a_name() -> None:
    policy = Policy(allowed=read_allowed(["OSS-cn-hangzhou.aliyuncs.com", "*.example.com"]))
    assert policy.route("oss-cn-hangzhou.aliyuncs.com", 443) == PassThrough("oss-cn-hangzhou.aliyuncs.com", 443)
    assert policy.route("a.b.example.com", 80) == PassThrough("a.b.example.com", 80)
    for host in ("example.com", "notexample.com", "x.oss-cn-hangzhou.aliyuncs.com"):
        assert isinstance(policy.route(host, 443), Refused)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("https://example.com", "is not a host"),
        ("example.com:443", "is not a host"),
        ("*", "is not a host"),
        ("", "is not a host"),
        ("foas.cn-hangzhou.aliyuncs.com", "is a host of foas"),
        ("*.aliyuncs.com", "is a host of foas"),
    ],
)
def test_what_cannot_be_allowed_is_named(entry: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(entry))) as refused:
        read_allowed([entry])
    assert said in str(refused.value)
