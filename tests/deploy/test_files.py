"""The files of `deploy/` say the same as each other and as the image."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from foas_emulator.settings import variable
from tests.deploy.proxies import DEPLOY, SHARDS, SHIPPED
from tests.setup.test_files import conforms

ROOT = DEPLOY.parent
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
KUSTOMIZATION = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text("utf-8"))
RESOURCES = [
    resource
    for file in KUSTOMIZATION["resources"]
    for resource in yaml.safe_load_all((DEPLOY / file).read_text("utf-8"))
]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
NAMES = [shard.partition(":")[0] for shard in SHARDS]


def resource(kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in RESOURCES if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return dict(found["spec"])


def pod(kind: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pod of a workload, and its one container."""
    template = resource(kind, name)["template"]["spec"]
    (container,) = template["containers"]
    return template, container


@pytest.mark.parametrize("file", SHIPPED.values())
def test_both_proxies_have_the_same_servers_and_the_same_sentences(file: str) -> None:
    text = (DEPLOY / file).read_text("utf-8")
    assert re.findall(r"foas-\d:\d+", text) == list(SHARDS)
    other = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert re.findall(r"'(\{.*\})'", text) == re.findall(r"'(\{.*\})'", other)[:: 1 if file == "nginx.conf" else -1]


def test_compose_conforms_to_its_specification(tmp_path: Path) -> None:
    checked = conforms("vendor.compose-spec", DEPLOY / "compose.yaml")
    assert checked.returncode == 0, checked.stdout
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((DEPLOY / "compose.yaml").read_text("utf-8").replace("volumes:", "volume:"), "utf-8")
    assert conforms("vendor.compose-spec", wrong).returncode == 1


def test_compose_gives_each_server_a_volume_and_an_address_of_its_own() -> None:
    servers = {name: COMPOSE["services"][name] for name in NAMES}
    assert {server["volumes"][0] for server in servers.values()} == {f"{name}:/data" for name in NAMES}
    assert set(COMPOSE["volumes"]) == set(NAMES)
    assert len({server["networks"]["default"]["ipv4_address"] for server in servers.values()}) == len(NAMES)
    assert set(COMPOSE["services"]["foas"]["depends_on"]) == set(NAMES)
    for server in servers.values():
        assert set(server["environment"]) <= {variable("data_dir"), variable("control_token")}
        assert server["environment"][variable("data_dir")] == "/data"
    assert "VOLUME /data" in DOCKERFILE


def test_kubernetes_gives_each_server_a_volume_and_a_service_of_its_own() -> None:
    servers = resource("StatefulSet", "foas")
    template, container = pod("StatefulSet", "foas")
    assert servers["replicas"] == len(NAMES)
    assert resource("Service", servers["serviceName"])["selector"] == servers["selector"]["matchLabels"]
    for name in NAMES:
        service = resource("Service", name)
        assert service["selector"] == {"statefulset.kubernetes.io/pod-name": name}
        assert service["ports"] == [{"port": container["ports"][0]["containerPort"]}]
    (claim,) = servers["volumeClaimTemplates"]
    (mount,) = container["volumeMounts"]
    environment = {each["name"]: each for each in container["env"]}
    assert mount == {"name": claim["metadata"]["name"], "mountPath": environment[variable("data_dir")]["value"]}
    secret = environment[variable("control_token")]["valueFrom"]["secretKeyRef"]
    (generated,) = KUSTOMIZATION["secretGenerator"]
    assert secret["name"] == generated["name"]
    assert generated["literals"][0].startswith(f"{secret['key']}=")
    assert KUSTOMIZATION["images"][0]["name"] == container["image"]
    assert f"--uid {template['securityContext']['runAsUser']}" in DOCKERFILE
    assert container["readinessProbe"] == container["livenessProbe"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/_emulator/health"


def test_kubernetes_gives_the_proxy_the_configuration_that_is_tested() -> None:
    template, container = pod("Deployment", "foas-proxy")
    (mount,), (volume,) = container["volumeMounts"], template["volumes"]
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    assert volume == {"name": mount["name"], "configMap": {"name": generated["name"]}}
    assert generated["files"] == [mount["subPath"]] == [SHIPPED["nginx"]]
    assert resource("Service", "foas")["selector"] == resource("Deployment", "foas-proxy")["selector"]["matchLabels"]
    assert container["image"] == COMPOSE["services"]["foas"]["image"]


def test_every_selector_finds_the_pods_of_its_workload() -> None:
    workloads = [each["spec"] for each in RESOURCES if each["kind"] in ("StatefulSet", "Deployment")]
    assert len(workloads) == 2
    for workload in workloads:
        assert workload["selector"]["matchLabels"] == workload["template"]["metadata"]["labels"]
