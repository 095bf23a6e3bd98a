"""The official SDKs, unmodified, make every call they have on an empty world of a real server, in both formats."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pkgutil import iter_modules
from urllib.request import ProxyHandler, Request, build_opener

import aliyunsdkfoas.request.v20181111
import pytest

from tests.clients.builds import JAVA, built
from tests.clients.conftest import emulator
from tests.clients.sdk import Sdk
from tests.contract.contract import CONTRACT, misfits, paths
from tests.contract.sdks import JavaSdk, PythonSdk
from tests.contract.tour import Tour

pytestmark = pytest.mark.xdist_group("contract-tour")

REQUEST_CLASSES = sorted(
    module.name.removesuffix("Request") for module in iter_modules(aliyunsdkfoas.request.v20181111.__path__)
)

_SCAN = {"ScanErrorMessage", "ScanExtBizNo", "ScanLink", "ScanState"}
_ERROR = {"LastErrorMessage", "LastErrorTime"}
NO_CALL_BRINGS_ABOUT = {
    "GetPackage": {f"Package.{name}" for name in _SCAN},
    "ListPackage": {f"Packages.Package.{name}" for name in _SCAN},
    "GetInstance": {f"Instance.{name}" for name in _ERROR | {"EndTime", "Priority"}},
    "ListInstance": {f"Instances.Instance.{name}" for name in _ERROR | {"Priority"}},
    "GetInstanceRunSummary": {f"RunSummary.{name}" for name in _ERROR},
    "BatchGetInstanceRunSummary": {f"RunSummarys.RunSummary.{name}" for name in _ERROR},
}
"""Members that only a seed or the control API can fill: scans, failures, priorities, the end of what is running."""


@pytest.fixture(scope="module", params=["python-JSON", "python-XML", "java-JSON", "java-XML"])
def tour(request: pytest.FixtureRequest) -> Iterator[Tour]:
    """The tour once it is made; whatever the SDK raised, or the tour found wrong, fails every test that wants it."""
    language, _, wire_format = request.param.partition("-")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch, emulator("--seed", "empty") as endpoint:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)  # the SDK would send even loopback calls through a proxy

        def wait(span: str) -> None:
            body = json.dumps({"by": span}).encode()
            url = f"http://{endpoint}/_emulator/worlds/default/clock/advance"
            request = Request(url, data=body, headers={"Content-Type": "application/json"})
            with build_opener(ProxyHandler({})).open(request) as response:
                assert response.status == 200

        sdk: PythonSdk | JavaSdk = PythonSdk(endpoint, wire_format)
        if language == "java":
            project = built(JAVA)
            command = ["java", "-cp", f"{project / 'classes'}:{project / 'jars' / '*'}", "Drive"]
            sdk = JavaSdk(stack.enter_context(Sdk(command)), endpoint, wire_format)
        tour = Tour(sdk=sdk, wait=wait, reads_bare_lists=request.param != "java-XML")
        tour.make()
        yield tour


def test_the_tour_calls_every_request_class_of_the_sdk(tour: Tour) -> None:
    assert sorted(tour.answers) == REQUEST_CLASSES
    assert set(CONTRACT) - set(tour.answers) == {"GetInstanceVertexTaskManagers"}


@pytest.mark.parametrize("name", REQUEST_CLASSES)
def test_every_answer_fits_the_contract(name: str, tour: Tour) -> None:
    tree = {"RequestId": "string", **CONTRACT[name]["answer"]}
    assert [fault for answer in tour.answers[name] for fault in misfits(answer, tree)] == []


@pytest.mark.parametrize("name", REQUEST_CLASSES)
def test_the_answers_show_every_member_that_calls_can_bring_about(name: str, tour: Tour) -> None:
    shown = {path for answer in tour.answers[name] for path in paths(answer)}
    assert set(paths(CONTRACT[name]["answer"])) - shown == NO_CALL_BRINGS_ABOUT.get(name, set())
