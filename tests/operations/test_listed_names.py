"""Every parameter that lists many things has a bound on their number, and is checked before anything is done."""

import json
from typing import Any

import pytest

from foas_emulator.operations.jobs.service import LONGEST_PACKAGES
from foas_emulator.operations.required import MOST_NAMES
from tests.api import Api
from tests.operations import building

MANY = ",".join(["a"] * (MOST_NAMES + 1))
REFUSED = f"{MOST_NAMES + 1} are more than the {MOST_NAMES} that one call may hold."


def test_a_job_names_a_bounded_number_of_packages(p: Api) -> None:
    p.ok("CreatePackage", projectName="p", packageName="a", type="jar", ossPath="a.jar")
    building.job(p, packages=MANY.removesuffix(",a"))
    refused = p.refused("UpdateJob", projectName="p", jobName="j", packages=MANY, code="Invalidpackages")
    assert refused.hint == f"packages: {REFUSED}"


def test_blanks_between_packages_have_a_bound(p: Api) -> None:
    p.ok("CreatePackage", projectName="p", packageName="a", type="jar", ossPath="a.jar")
    longest = "a".ljust(LONGEST_PACKAGES)
    building.job(p, packages=longest)
    refused = p.refused("UpdateJob", projectName="p", jobName="j", packages=f"{longest} ", code="Invalidpackages")
    assert refused.hint == "packages: they have 65537 characters, and may have 65536."


def test_a_batch_of_summaries_is_of_a_bounded_number_of_jobs(p: Api) -> None:
    asked: dict[str, Any] = {"projectName": "p", "jobType": "FLINK_STREAM"}
    p.ok("BatchGetInstanceRunSummary", jobNames=MANY.removesuffix(",a"), **asked)
    refused = p.refused("BatchGetInstanceRunSummary", jobNames=MANY, code="InvalidjobNames", **asked)
    assert refused.hint.endswith(REFUSED)


def test_a_cluster_is_shrunk_by_a_bounded_number_of_machines(api: Api) -> None:
    cluster_id = building.cluster(api)
    refused = api.refused("ShrinkCluster", clusterId=cluster_id, instanceIds=MANY, code="InvalidinstanceIds")
    assert refused.hint.endswith(REFUSED)


KEYS = [str(number) for number in range(MOST_NAMES + 1)]


@pytest.mark.parametrize(
    "text",
    [
        ",".join(KEYS),
        json.dumps(dict.fromkeys(KEYS, "")),
        json.dumps([{"Key": key, "Value": ""} for key in KEYS]),
        json.dumps([{"Key": "a", "Value": ""}] * 20_000),
    ],
    ids=["names", "object", "array", "long array"],
)
def test_clusters_get_a_bounded_number_of_tags(api: Api, text: str) -> None:
    cluster_id = building.cluster(api)
    assert (
        "that one call may hold"
        in api.refused("TagResources", ResourceIds=cluster_id, Tags=text, code="InvalidTags").hint
    )


def test_the_tags_of_all_clusters_count_together(api: Api) -> None:
    ids = f"{building.cluster(api)},{building.cluster(api)}"
    api.ok("TagResources", ResourceIds=ids, Tags=",".join(KEYS[:200]))
    api.refused("TagResources", ResourceIds=ids, Tags=",".join(KEYS[:251]), code="InvalidTags")
    keys, more = ",".join(KEYS[: MOST_NAMES // 2]), ",".join(KEYS[: MOST_NAMES // 2 + 1])
    api.refused("UntagResources", ResourceIds=ids, TagKeys=more, code="InvalidTagKeys")
    api.ok("UntagResources", ResourceIds=ids, TagKeys=keys)
