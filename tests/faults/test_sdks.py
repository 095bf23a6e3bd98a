"""How the official SDKs react to each effect. Those of the other languages are throttled in tests/clients."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from alibabacloud_tea_openapi import models as tea_models
from alibabacloud_tea_openapi.client import Client as TeaClient
from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkfoas.request.v20181111.CreateFolderRequest import CreateFolderRequest
from aliyunsdkfoas.request.v20181111.GetInstanceRequest import GetInstanceRequest
from darabonba.policy.retry import RetryOptions
from darabonba.runtime import RuntimeOptions

from tests.running import Running

Core = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def core(server: Running, world: str) -> Core:
    """aliyun-python-sdk-core, asking for the documented instance or making a folder."""

    def call(make: str | None = None, *, timeout: float = 10) -> dict[str, Any]:
        request = GetInstanceRequest() if make is None else CreateFolderRequest()
        request.set_projectName("project1")
        if make is None:
            request.set_jobName("job1")
            request.set_instanceId("412536")
        else:
            request.set_path(make)
        request.set_endpoint(f"http://{server.endpoint}")
        client = AcsClient(f"world-{world}", "test", "cn-hangzhou", timeout=timeout)
        return dict(json.loads(client.do_action_with_exception(request)))

    return call


def calls(server: Running, world: str) -> list[dict[str, Any]]:
    _, document = server.control("GET", f"/worlds/{world}/journal")
    return list(document["entries"])


def test_a_throttled_client_gets_a_server_exception_and_does_not_try_again(
    server: Running, world: str, core: Core
) -> None:
    server.arm(world, effect={"error": "Throttling.User"}, times=1)
    with pytest.raises(ServerException) as refusal:
        core()
    assert refusal.value.get_http_status() == 400
    assert refusal.value.get_error_code() == "Throttling.User"
    (call,) = calls(server, world)
    assert refusal.value.get_request_id() == call["request_id"]
    assert call["signature"] == "valid"
    assert core()["Instance"]["Id"] == 412536


@pytest.mark.parametrize("effect", [{"drop": True}, {"reset": True}])
def test_a_client_whose_connection_ends_gets_an_http_error(
    server: Running, world: str, core: Core, effect: dict[str, Any]
) -> None:
    server.arm(world, effect=effect)
    with pytest.raises(ClientException) as refusal:
        core()
    assert refusal.value.error_code == "SDK.HttpError"
    assert [call["status"] for call in calls(server, world)] == [None]


def test_a_client_that_gets_half_an_answer_cannot_take_it_for_a_whole_one(
    server: Running, world: str, core: Core
) -> None:
    server.arm(world, effect={"truncate": 0.5})
    with pytest.raises((ClientException, ValueError)):
        core()


def test_a_client_gives_up_on_a_call_that_takes_effect_after_all(server: Running, world: str, core: Core) -> None:
    server.arm(world, match={"operation": "CreateFolder"}, effect={"latency": "400ms"}, times=1)
    with pytest.raises(ClientException) as refusal:
        core("/made", timeout=0.1)
    assert refusal.value.error_code == "SDK.HttpError"
    status, _ = server.control(
        "POST", f"/worlds/{world}/journal/verify", {"operation": "CreateFolder", "status": 200, "timeout": "60s"}
    )
    assert status == 200
    with pytest.raises(ServerException) as duplicate:
        core("/made")
    assert duplicate.value.get_error_code() == "InvalidFolder.Duplicate"


def test_a_client_cannot_tell_a_lost_answer_from_a_lost_call(server: Running, world: str, core: Core) -> None:
    server.arm(world, match={"operation": "CreateFolder"}, effect={"drop": True}, at="after_commit")
    with pytest.raises(ClientException):
        core("/made")
    status, folder = server.ask(
        "GET", "/api/v2/projects/project1/folders?path=/made", headers={"x-emulator-world": world}
    )
    assert status == 200
    assert folder["Folder"]["Path"] == "/made"


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")  # the SDK's, from Python 3.12 on
def test_a_client_of_the_next_generation_waits_as_long_as_it_is_told_and_tries_again(
    server: Running, world: str
) -> None:
    server.arm(world, effect={"error": "Throttling.User"}, times=1)
    client = TeaClient(
        tea_models.Config(
            access_key_id=f"world-{world}",
            access_key_secret="test",
            endpoint=server.endpoint,
            protocol="http",
            retry_options=RetryOptions(retry_condition=[{"maxAttempts": 3, "exception": ["ThrottlingException"]}]),
        )
    )
    params = tea_models.Params(
        action="GetInstance",
        version="2018-11-11",
        protocol="HTTP",
        pathname="/api/v2/projects/project1/jobs/job1/instances/412536",
        method="GET",
        auth_type="AK",
        style="ROA",
        req_body_type="json",
        body_type="json",
    )
    answer = client.call_api(params, tea_models.OpenApiRequest(), RuntimeOptions())
    assert answer["body"]["Instance"]["Id"] == 412536
    assert [call["code"] for call in calls(server, world)] == ["Throttling.User", None]
    status, document = server.control(
        "POST", f"/worlds/{world}/journal/verify", {"operation": "GetInstance", "backoff": {"min": "990ms"}}
    )
    assert status == 200, document
