"""The curve of a metric: its line for SVG, and its figures for the table beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 300
_TOP, _BOTTOM = 6.0, 66.0
_MOST_ROWS = 24
_SECOND = 1000
"""The number of milliseconds from which a curve is shown in seconds."""
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One curve. `rows` are some of its points, the latest first, as epoch milliseconds and text."""

    name: str
    unit: str
    line: str
    area: str
    last: str
    low: str
    high: str
    begins: int
    ends: int
    rows: Sequence[tuple[int, str]]


def chart(name: str, unit: str, points: Mapping[str, str | float]) -> Chart | None:
    """Return the chart of points by epoch second, None if there are none. Its vertical axis begins at zero."""
    pairs = [(int(second), float(value)) for second, value in points.items()]
    if not pairs:
        return None
    values = [value for _, value in pairs]
    if unit == "ms" and max(values) >= _SECOND:
        unit, pairs = "s", [(second, value / _SECOND) for second, value in pairs]
        values = [value for _, value in pairs]
    first, last = pairs[0][0], pairs[-1][0]
    top = max(values) or 1.0
    placed = [
        (
            round((second - first) * WIDTH / max(last - first, 1), 1),
            round(_BOTTOM - (_BOTTOM - _TOP) * max(value, 0) / top, 1),
        )
        for second, value in pairs
    ]
    line = " ".join(f"{x:g},{y:g}" for x, y in placed)
    every = max(len(pairs) // _MOST_ROWS, 1)
    return Chart(
        name=name,
        unit=unit,
        line=line,
        area=f"0,{_BOTTOM:g} {line} {placed[-1][0]:g},{_BOTTOM:g}",
        last=short(values[-1]),
        low=short(min(values)),
        high=short(max(values)),
        begins=first * 1000,
        ends=last * 1000,
        rows=[(second * 1000, short(value)) for second, value in pairs[::-every]],
    )


def short(value: float) -> str:
    """Return a number as a short text: `1.2k`, `0.35`, `12`."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / size:.1f}{unit}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:.0f}"  # noqa: PLR2004 - two digits
