"""One official SDK at work, and how it tells its caller what the service said."""

import json
import os
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self
from urllib.request import ProxyHandler, Request, build_opener

import xmltodict

from tests.clients.tour import Answer, Call, Expected, Format, Refusal, Step, WrongSecret

REQUEST_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
SECONDS_A_CALL_MAY_TAKE = 60


def environment() -> dict[str, str]:
    """This process's variables without its proxies, which every SDK would use on loopback too."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


class Sdk:
    """An SDK's driver, in a process of its own: a call goes in as a line of JSON, its outcome comes out as one."""

    def __init__(self, command: Sequence[str]) -> None:
        self._driver = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=environment(),
        )

    def make(self, call: Call, *, endpoint: str, access_key_id: str) -> dict[str, Any]:
        """The outcome as the driver saw it; a driver that hangs is killed, and so fails the test."""
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        watchdog = threading.Timer(SECONDS_A_CALL_MAY_TAKE, self._driver.kill)
        watchdog.start()
        try:
            json.dump({**asdict(call), "endpoint": endpoint, "access_key_id": access_key_id}, self._driver.stdin)
            self._driver.stdin.write("\n")
            self._driver.stdin.flush()
            line = self._driver.stdout.readline()
        finally:
            watchdog.cancel()
        assert line, f"the driver stopped with exit status {self._driver.wait()}"
        outcome: dict[str, Any] = json.loads(line)
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Waits until the driver has ended, as it does when there is no more input."""
        self._driver.communicate(timeout=SECONDS_A_CALL_MAY_TAKE)
        assert self._driver.returncode == 0


class Dialect:
    """How one SDK hands over an answer, a refusal and a wrong secret; what most of them do is written here."""

    name: str
    exception: str
    """What an error calls itself to its catcher; ``{code}`` stands for the service's code."""
    numbers_in: tuple[Format, ...] = ("JSON",)
    """The formats in which a number of the service reaches the caller as a number."""
    wrong_secret = Refusal(code="SignatureDoesNotMatch", status=400, message="server string to sign is:GET\n")

    def members(self, result: Any, wire: Format) -> dict[str, Any]:
        """An answer's members by name, nested as the service nests them."""
        return dict(result) if wire == "JSON" else dict(xmltodict.parse(result).popitem()[1])

    def exception_for(self, refusal: Refusal) -> str:
        return self.exception.format(code=refusal.code)

    def assert_outcome(self, outcome: Mapping[str, Any], expected: Expected, wire: Format) -> None:
        if isinstance(expected, Answer):
            self.assert_answered(outcome, expected, wire)
        elif isinstance(expected, WrongSecret):
            self.assert_wrong_secret(outcome)
        elif wire == "JSON":
            self.assert_refused(outcome, expected)
        else:
            self.assert_refused_in_xml(outcome, expected)

    def assert_refused(self, outcome: Mapping[str, Any], refusal: Refusal) -> None:
        assert outcome["ok"] is False, outcome
        assert outcome["type"] == self.exception_for(refusal)
        assert outcome["code"] == refusal.code
        assert outcome["status"] == refusal.status
        assert refusal.message in outcome["message"]
        assert REQUEST_ID.fullmatch(outcome["request_id"])

    def assert_refused_in_xml(self, outcome: Mapping[str, Any], refusal: Refusal) -> None:
        self.assert_refused(outcome, refusal)

    def assert_wrong_secret(self, outcome: Mapping[str, Any]) -> None:
        self.assert_refused(outcome, self.wrong_secret)

    def assert_answered(self, outcome: Mapping[str, Any], answer: Answer, wire: Format) -> None:
        assert outcome["ok"] is True, outcome
        members = self.members(outcome["result"], wire)
        assert REQUEST_ID.fullmatch(members["RequestId"])
        said = told(members, numbers=True)
        for name, expected in told(answer.members, numbers=wire in self.numbers_in).items():
            assert {**said[name], **expected} == said[name]
            assert not answer.whole or said[name].keys() == expected.keys()


def told(value: Any, *, numbers: bool) -> Any:
    """The value without its empty members, which most readers of an answer cannot tell from absent ones."""
    if isinstance(value, Mapping):
        members = {name: told(member, numbers=numbers) for name, member in value.items()}
        return {name: member for name, member in members.items() if member not in ("", 0, None)}
    return str(value) if isinstance(value, int) and not numbers else value


def make_the_step(step: Step, sdk: Sdk, *, dialect: Dialect, endpoint: str, named: str | None = None) -> None:
    """Makes the calls of the step in a world of its own and asserts that each had its outcome.

    The program is told the emulator's `endpoint`, or what is `named` instead: nothing, if that is empty.
    """
    world = f"{dialect.name}-{step.name}"
    if step.fault:
        arm(step.fault, endpoint=endpoint, world=world)
    for call, expected in step.turns:
        told_endpoint = endpoint if named is None else named
        outcome = sdk.make(call, endpoint=told_endpoint, access_key_id=call.access_key_id or f"world-{world}")
        dialect.assert_outcome(outcome, expected, call.format)


def arm(fault: Mapping[str, Any], *, endpoint: str, world: str) -> None:
    request = Request(
        f"http://{endpoint}/_emulator/worlds/{world}/faults",
        data=json.dumps(fault).encode("utf-8"),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with build_opener(ProxyHandler({})).open(request) as response:
        assert response.status == 201
