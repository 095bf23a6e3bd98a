"""Charts, graphs, time lines and highlighted code are functions of their data."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.blink.plan import Edge, Node, Plan
from foas_emulator.console.chart import chart, short
from foas_emulator.console.graph import BOX_HEIGHT, MOST_NODES, graph
from foas_emulator.console.highlight import highlighted
from foas_emulator.console.journal import side_by_side
from foas_emulator.console.timeline import Point, timeline


def test_a_chart_stands_on_zero_and_reaches_its_top() -> None:
    drawn = chart("Delay", "ms", {"100": "5.0", "160": 10, "220": "0"})
    assert drawn is not None
    assert drawn.line == "0,36 150,6 300,66"
    assert (drawn.low, drawn.high, drawn.last) == ("0", "10", "0")
    assert drawn.rows[0] == (220_000, "0")
    assert chart("Delay", "ms", {}) is None


@pytest.mark.parametrize(
    ("value", "text"), [(0.35, "0.35"), (12, "12"), (999.4, "999"), (1200, "1.2k"), (3.4e6, "3.4M"), (2e9, "2.0G")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_a_vertex_stands_right_of_what_it_reads() -> None:
    plan = Plan(
        (
            Node(1, "Source: a", "Data Source"),
            Node(2, "Source: b", "Data Source"),
            Node(3, "Join", "Operator", predecessors=(Edge(1), Edge(2, "KEY-GROUP"), Edge(9))),
        )
    )
    drawn = graph(plan)
    first, second, join = drawn.boxes
    assert first.x == second.x < join.x
    assert first.y == join.y < second.y
    assert [arrow.strategy for arrow in drawn.arrows] == ["FORWARD", "KEY-GROUP"]


def test_an_arrow_past_a_vertex_is_drawn_below_it() -> None:
    node = Node(3, "Sink", "Data Sink", predecessors=(Edge(2), Edge(1, "HASH")))
    drawn = graph(Plan((Node(1, "a", "Data Source"), Node(2, "b", "Operator", predecessors=(Edge(1),)), node)))
    past = next(arrow for arrow in drawn.arrows if arrow.strategy == "HASH")
    bottom = drawn.boxes[1].y + BOX_HEIGHT
    assert bottom < past.y < drawn.height


def test_a_large_plan_is_cut() -> None:
    drawn = graph(Plan(tuple(Node(number, "x", "Operator") for number in range(MOST_NODES + 7))))
    assert (len(drawn.boxes), drawn.hidden) == (MOST_NODES, 7)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=12))
def test_points_keep_their_order_and_never_cover_each_other(times: list[int]) -> None:
    placed = timeline([Point(at=at, label="x", event="y") for at in times], now=0)
    places = [point.x for point in placed]
    assert places == sorted(places)
    assert all(later - earlier > 10 for earlier, later in pairwise(places))
    assert 12 < places[0] <= places[-1] <= 800


@given(st.text(max_size=300))
def test_highlighting_loses_nothing(code: str) -> None:
    lines = ["".join(text for _, text in line) for line in highlighted(code)]
    assert "\n".join(lines) == code


def test_words_strings_comments_and_numbers_are_told_apart() -> None:
    (line,) = highlighted("SELECT 'a' FROM t -- all 12")
    assert [kind for kind, _ in line if kind] == ["k", "s", "k", "c"]


def test_the_first_difference_of_two_strings_is_marked() -> None:
    found = side_by_side(
        "GET\napplication/json\n", [{"field": "Accept", "expected": "application/json", "actual": "x"}]
    )
    assert found["lines"][1] == ("application/json", "x", True)
    assert found["is_found"]
