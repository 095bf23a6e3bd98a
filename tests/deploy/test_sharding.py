"""Worlds on three strict servers behind the real nginx and HAProxy, as `deploy/` configures them."""

import http.client
import json
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.deploy.proxies import WITH_PROXIES, Proxy
from tests.deploy.shards import Shards
from tests.wire import signed_v1, signed_v3

pytestmark = WITH_PROXIES

WORLDS = 200
AT_ONCE = 8
PROJECTS = "/api/v2/projects"
JSON = {"accept": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def create_project(client: httpx.Client, world: str, name: str) -> httpx.Response:
    """Create a project in a world that the access key of a V1 signature names."""
    body = urlencode({"name": name, "clusterId": "c", "deployType": "cell"}).encode()
    headers = signed_v1(PROJECTS, method="POST", key=f"world-{world}", body=body, headers={**JSON, **FORM})
    return client.post(PROJECTS, content=body, headers=headers)


def projects_of(client: httpx.Client, world: str) -> set[str]:
    """The projects of a world that the access key of a V3 signature names, which covers the host as well."""
    target = f"{PROJECTS}?pageSize=100"
    headers = signed_v3(target, key=f"world-{world}", headers={**JSON, "host": client.base_url.netloc.decode()})
    answer = client.get(target, headers=headers)
    assert answer.status_code == 200, answer.text
    return {each["Name"] for each in answer.json()["Projects"]["Project"]}


def calls_of(client: httpx.Client, world: str) -> list[dict[str, Any]]:
    """The journal of a world."""
    answer = client.get(f"/_emulator/worlds/{world}/journal")
    answer.raise_for_status()
    return list(answer.json()["entries"])


def create_world(client: httpx.Client, name: str) -> None:
    client.put(f"/_emulator/worlds/{name}").raise_for_status()


def ask(proxy: Proxy, target: str, headers: Sequence[tuple[str, str]] = ()) -> int:
    """Send a request exactly as it is given; answers the status."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    try:
        connection.putrequest("GET", target)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def test_every_call_of_a_world_comes_to_one_server(proxy: Proxy, shards: Shards) -> None:
    client = proxy.client
    worlds = [f"{proxy.name}-{number}" for number in range(WORLDS)]

    def use(world: str) -> list[str]:
        assert create_project(client, world, "made").status_code == 200
        assert projects_of(client, world) == {"made"}
        headers = signed_v1(f"{PROJECTS}/made", headers={**JSON, "x-emulator-world": world})
        assert client.get(f"{PROJECTS}/made", headers=headers).status_code == 200
        return [call["operation"] for call in calls_of(client, world)]

    with ThreadPoolExecutor(AT_ONCE) as users:
        for operations in users.map(use, worlds):
            assert sorted(operations) == ["CreateProject", "GetProject", "ListProject"]
    placed = [names & set(worlds) for names in shards.worlds()]
    assert sorted(name for names in placed for name in names) == sorted(worlds), "a world is on two servers, or on none"
    assert all(len(names) > WORLDS / 10 for names in placed), "a server has hardly any of them"


V3 = "ACS3-HMAC-SHA256"
FORMS: Sequence[tuple[Sequence[tuple[str, str]], str]] = (
    ([("x-emulator-world", "NAME"), ("authorization", "acs world-OTHER:s")], "NAME"),
    ([("x-emulator-world", ""), ("authorization", "acs world-NAME:s")], "NAME"),
    ([("x-emulator-world", "NAME"), ("x-emulator-world", "OTHER")], "NAME or OTHER"),
    ([("x-emulator-world", "\tNAME")], "NAME"),
    ([("x-emulator-world", "\t"), ("authorization", "acs world-NAME:s")], "NAME"),
    ([("authorization", "\tacs world-NAME:s")], "NAME"),
    ([("authorization", "acs world-NAME:s")], "NAME"),
    ([("authorization", "acs  world-NAME :s")], "NAME"),
    ([("authorization", "acs world-NAME")], "NAME"),
    ([("authorization", f"{V3} Credential=world-NAME,SignedHeaders=a,Signature=s")], "NAME"),
    ([("authorization", f"{V3} SignedHeaders=a, Credential= world-NAME , Signature=s")], "NAME"),
    ([("authorization", f"{V3} Credential=test,Signature=s,Credential=world-NAME")], "default"),
    ([("authorization", "acs test:world-NAME")], "default"),
    ([("authorization", "acs test-world-NAME:s")], "default"),
    ([("authorization", "acs WORLD-NAME:s")], "default"),
    ([("authorization", "world-NAME:s")], "default"),
    ([], "default"),
)
"""Headers that name a world in some way, and which one they name. NAME and OTHER stand for two worlds."""
PAIRS = 6
"""Worlds that each form is tried with: by chance a wrong server is the right one, but not for all."""


def test_proxy_and_server_agree_which_world_a_call_names(proxy: Proxy) -> None:
    client = proxy.client
    pairs = [(f"{proxy.name}-name-{number}", f"{proxy.name}-other-{number}") for number in range(PAIRS)]
    for world in (name for pair in pairs for name in pair):
        create_world(client, world)
    client.delete("/_emulator/worlds/default/journal").raise_for_status()
    for name, other in pairs:
        for number, (headers, _) in enumerate(FORMS):
            given = [(header, value.replace("NAME", name).replace("OTHER", other)) for header, value in headers]
            # Nothing looks for a key in the query, where the other style of Alibaba's APIs has it.
            ask(proxy, f"/{name}-{number}?AccessKeyId=world-{other}", given)

    def forms_of(world: str) -> set[str]:
        return {call["path"].removeprefix("/") for call in calls_of(client, world)}

    default = forms_of("default")
    for name, other in pairs:
        found = {"NAME": forms_of(name), "OTHER": forms_of(other), "default": default}
        for number, (headers, expected) in enumerate(FORMS):
            where = [world for world, forms in found.items() if f"{name}-{number}" in forms]
            assert len(where) == 1, f"{headers} came to {where}"
            assert where[0] in expected, f"{headers} came to {where}"


def test_a_world_in_the_path_counts_before_all_others(proxy: Proxy) -> None:
    for number in range(PAIRS):
        name = f"{proxy.name}-path-{number}"
        headers = [("authorization", "acs world-other:s"), ("x-emulator-world", "other")]
        proxy.client.put(f"/_emulator/worlds/{name}", headers=dict(headers)).raise_for_status()
        assert ask(proxy, f"/_emulator/worlds/{name}/credentials?x=/_emulator/worlds/other", headers) == 200
        assert ask(proxy, f"/_emulator/worlds/{name.replace('n', '%6e')}/clock", headers) == 200
        assert ask(proxy, f"/_emulator/worlds/{name}/credentials") == 200


def test_a_path_that_only_resembles_the_control_apis_names_no_world(proxy: Proxy) -> None:
    proxy.client.delete("/_emulator/worlds/default/journal").raise_for_status()
    for number in range(PAIRS):
        ask(proxy, f"/x/../_emulator/worlds/{proxy.name}-{number}/clock")
    assert len(calls_of(proxy.client, "default")) == PAIRS


def test_a_request_that_names_no_host_is_served(proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as connection:
        connection.sendall(b"GET /_emulator/health HTTP/1.0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_path_goes_on_as_it_was_signed(proxy: Proxy) -> None:
    target = f"{PROJECTS}/a%2Fb%20%E4%BD%9C//x?b=%7E&a=1+2"
    world = f"{proxy.name}-paths"
    assert create_project(proxy.client, world, "made").status_code == 200
    for sign in (signed_v1, signed_v3):
        answer = proxy.client.get(target, headers=sign(target, key=f"world-{world}", headers=JSON))
        # No operation has this path, which is only told once the signature was seen to be right.
        assert (answer.status_code, answer.json()["Code"]) == (404, "InvalidAction.NotFound")


@pytest.mark.parametrize(
    "path", ["worlds", "worlds/", "reset", "coverage", "interception", "console", "console/", "console/w/default/"]
)
def test_what_concerns_all_worlds_is_refused_with_a_sentence(path: str, proxy: Proxy) -> None:
    answer = proxy.client.get(f"/_emulator/{path}")
    assert answer.status_code == 501
    assert "foas-emulator worlds --url A --url B" in answer.json()["hint"]


def test_events_and_waits_pass_through_as_they_happen(proxy: Proxy) -> None:
    client, world = proxy.client, f"{proxy.name}-events"
    assert create_project(client, world, "first").status_code == 200
    with ThreadPoolExecutor(1) as waiter, client.stream("GET", f"/_emulator/worlds/{world}/events") as events:
        wanted = {"operation": "CreateProject", "count": {"exactly": 2}, "timeout": "30s"}
        waiting = waiter.submit(client.post, f"/_emulator/worlds/{world}/journal/verify", json=wanted)
        assert create_project(client, world, "second").status_code == 200
        line = next(line for line in events.iter_lines() if line.startswith("data:"))
        assert json.loads(line.removeprefix("data:"))["calls"][-1]["operation"] == "CreateProject"
        assert waiting.result(timeout=60).json()["ok"]


def test_a_fault_that_breaks_a_connection_breaks_the_clients(proxy: Proxy) -> None:
    client, world = proxy.client, f"{proxy.name}-faults"
    assert create_project(client, world, "made").status_code == 200
    for effect in ({"drop": True}, {"reset": True}, {"truncate": 0.5}):
        rule = {"effect": effect, "times": 1}
        client.post(f"/_emulator/worlds/{world}/faults", json=rule).raise_for_status()
        with pytest.raises(httpx.TransportError):
            projects_of(client, world)
    assert projects_of(client, world) == {"made"}
    assert len(calls_of(client, world)) == 5, "a call was made twice"


class Writer:
    """Creates projects in a world until it has had its number; notes what was acknowledged, and what was not."""

    def __init__(self, client: httpx.Client, world: str) -> None:
        self.client = client
        self.world = world
        self.acknowledged: set[str] = set()
        self.missed: dict[str, str] = {}

    def write(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                answer = create_project(self.client, self.world, name)
            except httpx.TransportError as error:  # the server ended in the middle of it
                self.missed[name] = repr(error)
                continue
            if answer.status_code == 200:
                self.acknowledged.add(name)
            else:
                assert (answer.status_code, answer.json()["Code"]) == (503, "ServiceUnavailable"), answer.text
                self.missed[name] = answer.text


def test_a_server_that_was_killed_comes_back_with_all_that_was_acknowledged(proxy: Proxy, shards: Shards) -> None:
    writers = [Writer(proxy.client, f"{proxy.name}-kept-{number}") for number in range(2 * AT_ONCE)]
    phases = {phase: [f"{phase}-{number}" for number in range(10)] for phase in ("before", "meanwhile", "after")}
    with ThreadPoolExecutor(len(writers)) as threads:
        for writer in writers:
            writer.write(["first"])
        placed = shards.worlds()[0]
        under_way = [threads.submit(writer.write, phases["before"]) for writer in writers]
        shards.kill(0)
        for writing in under_way:
            writing.result(timeout=60)
        list(threads.map(lambda writer: writer.write(phases["meanwhile"]), writers))
        shards.bring_back(0)
        list(threads.map(lambda writer: writer.write(phases["after"]), writers))
    here = [writer for writer in writers if writer.world in placed]
    elsewhere = [writer for writer in writers if writer.world not in placed]
    assert here
    assert elsewhere
    for writer in elsewhere:
        assert not writer.missed, "a server that ran was missing"
    for writer in here:
        assert writer.missed.keys() >= set(phases["meanwhile"]), "a world was made a second time elsewhere"
        assert writer.acknowledged >= {"first", *phases["after"]}
    for writer in writers:
        assert writer.acknowledged <= projects_of(proxy.client, writer.world), "an acknowledged write is lost"
