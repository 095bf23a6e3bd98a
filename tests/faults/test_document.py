"""Validation of fault rules: one that could never apply is refused."""

from typing import Any

import pytest

from foas_emulator.faults.effects import EFFECTS
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.reading import parse_seed
from tests.api import Api
from tests.faults.arming import arm, refused

DROP = {"drop": True}

EXAMPLES: dict[str, Any] = {
    "error": "Forbidden.RAM",
    "status": 500,
    "latency": "1s",
    "drop": True,
    "reset": True,
    "truncate": 0.5,
    "duplicate": True,
    "stale": True,
    "rate_limit": {"calls": 1, "per": "1s"},
}


@pytest.fixture
def wire_format() -> str:
    return "json"


@pytest.mark.parametrize("kind", EFFECTS)
def test_an_effect_is_shown_as_it_was_written(api: Api, kind: str) -> None:
    effect = {kind: EXAMPLES[kind]} | ({"code": "X"} if kind == "status" else {})
    rule = arm(api, effect=effect, match={"operation": "Get*", "params": {"jobName": "job?"}}, skip=1, times=2)
    assert rule == {
        "id": 1,
        "match": {"operation": "Get*", "params": {"jobName": "job?"}},
        "effect": effect,
        "at": "before",
        "skip": 1,
        "times": 2,
        "probability": 1.0,
        "expires_at": None,
        "armed": True,
        "seen": 0,
        "hits": 0,
    }
    assert api.request("GET", "/_emulator/worlds/default/faults/1").json() == rule


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        (
            {"match": {"operation": "StrtJob"}, "effect": DROP},
            "there is no operation 'StrtJob' (the nearest is 'StartJob')",
        ),
        ({"match": {"operation": "Frob*"}, "effect": DROP}, "there is no operation 'Frob*'"),
        ({"effect": DROP, "ttl": "0s"}, "a rule whose ttl is 0 never applies"),
        ({"effect": {"rate_limit": {"calls": 1, "per": 0}}}, "a limit over no time never applies"),
        (
            {"match": {"operation": "StartJob", "params": {"jobname": "x"}}, "effect": DROP},
            "there is no parameter 'jobname' (the nearest is 'jobName')",
        ),
        ({"effect": {"error": "Throtling.User"}}, "no error 'Throtling.User' (the nearest is 'Throttling.User'); give"),
        ({"effect": {"error": "No.Such"}}, "the catalogue has no error 'No.Such'"),
        ({"effect": {"error": "No.Such" * 1000}}, "No.'... of 7000 characters; give status"),
        ({"effect": {"error": "InvalidNothing"}}, "there is no parameter 'Nothing'"),
        ({"effect": {"explode": True}}, "there is no such effect"),
        ({"effect": "drop"}, "there is no such effect"),
        ({"effect": {"Throttling.User": True}}, 'rate_limit, such as {"error": "Throttling.User"}'),
        (
            {"effect": {"latency": "1s", "Latency": 2}},
            "effect.Latency: there is no such member beside 'latency' (the ne",
        ),
        ({"effect": {"drop": True, "reset": True}}, "effect.reset: there is no such member beside 'drop'"),
        ({"effect": {"drop": False}}, "should be True"),
        ({"effect": {"status": 200, "code": "OK"}}, "greater than or equal to 400"),
        ({"effect": {"latency": "soon"}}, "'soon' is not a duration"),
        ({"effect": {"latency": ["2s", "1s"]}}, "from the shorter to the longer"),
        ({"effect": {"latency": ["1s", "2s", "3s"]}}, "has two durations"),
        ({"effect": {"truncate": 1}}, "less than 1"),
        ({"effect": {"rate_limit": {"calls": 0, "per": "1s"}}}, "greater than or equal to 1"),
        ({"effect": {"stale": True}, "at": "after_commit"}, "a read commits nothing"),
        ({"effect": {"stale": True}, "match": {"operation": "StartJob"}}, "only writes"),
        ({"effect": DROP, "at": "later"}, "before"),
        ({"effect": DROP, "probability": 0}, "greater than 0"),
        ({"effect": DROP, "times": 0}, "greater than or equal to 1"),
        ({"effect": DROP, "ttl": "1 fortnight"}, "is not a duration"),
        ({"effect": DROP, "tims": 1}, "tims"),
        ({}, "effect"),
    ],
)
def test_a_rule_that_could_never_strike_is_refused(api: Api, fault: dict[str, Any], hint: str) -> None:
    assert hint in refused(api, **fault)


def test_a_rule_that_is_not_there_cannot_be_shown_or_disarmed(api: Api) -> None:
    for method in ("GET", "DELETE"):
        response = api.request(method, "/_emulator/worlds/default/faults/7")
        assert response.status_code == 404
        assert response.json()["error"] == "World default has no fault rule 7."


def test_disarming_makes_no_world(api: Api) -> None:
    assert api.request("DELETE", "/_emulator/worlds/nobody/faults").status_code == 404
    assert api.registry.open_existing("nobody") is None


def test_a_seeds_faults_are_checked_with_their_lines() -> None:
    text = """
faults:
  - match: {operation: StartJob}
    effect: {error: Throttling.User}
  - effect: {error: No.Such}
  - match: {operation: StrtJob}
    effect: {drop: true}
  - effect: {drop: true}
    ttl: 5s
  - match: {operation: StrtJob}
    effect: {error: No.Such}
  - effect: {rate_limit: {calls: 1, pr: 1s}}
"""
    with pytest.raises(SeedError) as refusal:
        parse_seed(text, "seed.yaml")
    first, second, third, *both, missing, unknown = map(str, refusal.value.faults)
    assert [each.split(": ")[1] for each in both] == ["faults[4].match", "faults[4].effect.error"]
    assert missing == "seed.yaml:12: faults[5].effect.rate_limit.per: Field required"
    assert unknown.endswith("faults[5].effect.rate_limit.pr: there is no such member (the nearest is 'per')")
    assert first.startswith("seed.yaml:5: faults[1].effect")
    assert second == "seed.yaml:6: faults[2].match: there is no operation 'StrtJob' (the nearest is 'StartJob')"
    assert third.startswith("seed.yaml:8: faults[3]: a rule of a seed has no ttl")
