"""The contract itself, and the comparison of answers with it, which must be able to fail."""

import pytest

from tests.contract.contract import CONTRACT, misfits, paths

TREE = {"PageIndex": "integer", "Jobs": {"Job": [{"JobName": "string", "IsCommitted": "boolean", "Tags": "map"}]}}


def test_the_contract_has_all_operations_of_the_api() -> None:
    assert len(CONTRACT) == 68


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"PageIndex": 1, "Jobs": {"Job": []}},
        {"Jobs": {"Job": [{"JobName": "a", "IsCommitted": True, "Tags": {"any": 1}}, {"JobName": "b"}]}},
    ],
)
def test_an_answer_of_the_tree_fits(members: dict[str, object]) -> None:
    assert list(misfits(members, TREE)) == []


@pytest.mark.parametrize(
    "members",
    [
        {"Strange": 1},
        {"Jobs": {"Job": []}, "PageIndex": 1},
        {"PageIndex": "1"},
        {"PageIndex": True},
        {"PageIndex": 1.0},
        {"Jobs": []},
        {"Jobs": {"Job": {"JobName": "a"}}},
        {"Jobs": {"Job": [{"jobName": "a"}]}},
        {"Jobs": {"Job": [{"IsCommitted": "true"}]}},
        {"Jobs": {"Job": [{"Tags": "{}"}]}},
        {"Jobs": {"Job": [{"JobName": None}]}},
    ],
)
def test_an_answer_of_another_tree_does_not_fit(members: dict[str, object]) -> None:
    assert len(list(misfits(members, TREE))) == 1


def test_the_paths_of_a_tree_name_each_member_once() -> None:
    assert list(paths(TREE)) == [
        "PageIndex",
        "Jobs",
        "Jobs.Job",
        "Jobs.Job.JobName",
        "Jobs.Job.IsCommitted",
        "Jobs.Job.Tags",
    ]
