import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.blink.plan import (
    MAX_PARALLELISM,
    OPERATOR,
    SINK,
    SOURCE,
    Edge,
    Node,
    Plan,
    Resources,
    plan_from_json,
    resources,
)

# GetRefPackageJob's answer, its plan as the page prints it.
DOCUMENTED = """{
  "nodes": [
    {
      "id": 1,
      "type": "Source: Custom Source",
      "pact": "Data Source",
      "contents": "Source: Custom Source",
      "parallelism": 1
    },
    {
      "id": 2,
      "type": "Timestamps/Watermarks",
      "pact": "Operator",
      "contents": "Timestamps/Watermarks",
      "parallelism": 1,
      "predecessors": [
        {
          "id": 1,
          "ship_strategy": "FORWARD",
          "side": "second"
        }
      ]
    },
    {
      "id": 4,
      "type": "TriggerWindow(GlobalWindows(), TimeEvictor(10000), WindowedStream.reduce(WindowedStream.java:258))",
      "pact": "Operator",
      "contents": "TriggerWindow(GlobalWindows(), TimeEvictor(10000), WindowedStream.reduce(WindowedStream.java:258))",
      "parallelism": 1,
      "predecessors": [
        {
          "id": 2,
          "ship_strategy": "KEY-GROUP",
          "side": "second"
        }
      ]
    },
    {
      "id": 5,
      "type": "Sink: Unnamed",
      "pact": "Data Sink",
      "contents": "Sink: Unnamed",
      "parallelism": 1,
      "predecessors": [
        {
          "id": 4,
          "ship_strategy": "FORWARD",
          "side": "second"
        }
      ]
    }
  ]
}"""


def subtasks(count: int) -> Plan:
    return Plan((Node(1, "Source: a", SOURCE, parallelism=count - 2), Node(2, "Sink: b", SINK, parallelism=2)))


def test_documented_plan_is_read_and_written_byte_for_byte() -> None:
    plan = plan_from_json(DOCUMENTED)
    assert plan is not None
    assert plan.to_json() == DOCUMENTED
    assert plan.nodes[2].predecessors == (Edge(2, "KEY-GROUP"),)


@pytest.mark.parametrize(
    "text", ["", "{}", "{a:b}", "[]", "null", "{nodes: []}", "{nodes: 1}", "{nodes: [1, {}]}", "{", "no"]
)
def test_text_without_nodes_is_no_plan(text: str) -> None:
    assert plan_from_json(text) is None


def test_resources_of_sql_plans_stand_behind_the_parallelism() -> None:
    given = Resources(core=0.25, heap_memory=512, state_size=1, chaining_strategy="HEAD")
    (members,) = json.loads(Plan((Node(1, "Calc", OPERATOR, 2, (), given),)).to_json())["nodes"]
    assert list(members) == [
        *("id", "type", "pact", "contents", "parallelism"),
        *("core", "heap_memory", "state_size", "chainingStrategy"),
    ]
    assert members["core"] == 0.25
    assert members["chainingStrategy"] == "HEAD"


@pytest.mark.parametrize(("count", "answer"), [(12, (1.2, 3.0)), (50, (5.0, 12.5))])
def test_documented_resource_answers_are_subtasks_of_the_documented_defaults(
    count: int, answer: tuple[float, float]
) -> None:
    assert resources(subtasks(count)) == answer


def test_resources_are_what_each_subtask_is_given_times_the_parallelism() -> None:
    given = Resources(core=0.25, heap_memory=1024)
    assert resources(Plan((Node(1, "a", OPERATOR, 4, (), given), Node(2, "b", OPERATOR)))) == (1.1, 4.25)


def test_numbers_that_make_no_sense_become_defaults() -> None:
    plan = plan_from_json(
        '{"nodes": [{"id": "7", "parallelism": 1e99, "core": "x", "heap_memory": -1, "predecessors": [1, {"id": []}]},'
        ' {"id": 8, "parallelism": 0, "predecessors": {}, "core": NaN, "state_size": "1"}, {"id": 7}, {"id": null},'
        ' {"id": 9, "parallelism": 999999}, {"id": 10, "core": 1e400, "heap_memory": 64, "chainingStrategy": "NEVER"}]}'
    )
    assert plan == Plan(
        (
            Node(7, OPERATOR, OPERATOR, resources=Resources()),
            Node(8, OPERATOR, OPERATOR, resources=Resources(state_size=1)),
            Node(9, OPERATOR, OPERATOR, MAX_PARALLELISM),
            Node(10, OPERATOR, OPERATOR, resources=Resources(heap_memory=64, chaining_strategy="NEVER")),
        )
    )


def test_plan_with_bare_keys_is_read() -> None:
    plan = plan_from_json("{nodes: [{id: 1, name: Source, pact: 'Data Source', parallelism: '3'}]}")
    assert plan == Plan((Node(1, "Source", SOURCE, 3),))


@given(
    st.text()
    | st.recursive(
        st.none() | st.floats() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(st.sampled_from(["nodes", "id", "parallelism", "core", "predecessors", "type"]), x)
        ),
    ).map(json.dumps)
)
def test_any_text_is_a_plan_or_none(text: str) -> None:
    plan = plan_from_json(text)
    assert plan is None or resources(plan) >= (0, 0)
