"""The drawing of a plan from left to right: the positions of its boxes and arrows, which a template draws as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from foas_emulator.blink.plan import Node, Plan, Resources

BOX_WIDTH = 182
BOX_HEIGHT = 76
_GAP_X = 72
_GAP_Y = 22
_MARGIN = 8
_BELOW = 8
"""The room under the words of an arrow, for its line."""
MOST_NODES = 200
_LONGEST = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A vertex and its position."""

    x: int
    y: int
    kind: str
    title: str
    name: str
    parallelism: int
    cores: float | None
    memory: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """An edge: its curve, and the position of its ship strategy."""

    path: str
    x: float
    y: float
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A drawing and its size; `hidden` is the number of vertices that are left out."""

    width: int
    height: int
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    hidden: int


def graph(plan: Plan) -> Graph:
    """Return the drawing of a plan, with each vertex one column to the right of the last one from which it reads."""
    nodes = plan.nodes[:MOST_NODES]
    columns: dict[int, int] = {}
    for node in nodes:
        columns[node.id] = max((columns[edge.id] + 1 for edge in node.predecessors if edge.id in columns), default=0)
    filled: dict[int, int] = {}
    boxes: dict[int, Box] = {}
    for node in nodes:
        column = columns[node.id]
        row = filled[column] = filled.get(column, -1) + 1
        boxes[node.id] = _box(node, _MARGIN + column * (BOX_WIDTH + _GAP_X), _MARGIN + row * (BOX_HEIGHT + _GAP_Y))
    arrows = [
        _arrow(boxes[edge.id], boxes[node.id], edge.ship_strategy)
        for node in nodes
        for edge in node.predecessors
        if edge.id in boxes
    ]
    bottoms = [box.y + BOX_HEIGHT for box in boxes.values()] + [int(arrow.y) + _BELOW for arrow in arrows]
    return Graph(
        width=_MARGIN + max((box.x for box in boxes.values()), default=0) + BOX_WIDTH,
        height=_MARGIN + max(bottoms, default=BOX_HEIGHT),
        boxes=list(boxes.values()),
        arrows=arrows,
        hidden=len(plan.nodes) - len(nodes),
    )


def _box(node: Node, x: int, y: int) -> Box:
    given: Resources | None = node.resources
    name = node.type if len(node.type) <= _LONGEST else f"{node.type[: _LONGEST - 1]}…"
    return Box(
        x=x,
        y=y,
        kind={"Data Source": "source", "Data Sink": "sink"}.get(node.pact, "operator"),
        title=node.type,
        name=name,
        parallelism=node.parallelism,
        cores=None if given is None else given.core,
        memory=None if given is None else given.heap_memory,
    )


def _arrow(source: Box, target: Box, strategy: str) -> Arrow:
    x1, y1 = source.x + BOX_WIDTH, source.y + BOX_HEIGHT / 2
    x2, y2 = target.x, target.y + BOX_HEIGHT / 2
    bend = (x2 - x1) / 2
    dip = BOX_HEIGHT if y1 == y2 and x2 - x1 > _GAP_X else 0  # or else it lies behind the boxes between
    return Arrow(
        path=f"M{x1} {y1:g} C{x1 + bend:g} {y1 + dip:g} {x2 - bend:g} {y2 + dip:g} {x2 - 6} {y2:g}",
        x=(x1 + x2) / 2,
        y=(y1 + y2) / 2 + dip * 3 / 4 - 6,
        strategy=strategy,
    )
