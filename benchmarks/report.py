"""The table as Markdown, followed by all figures from which it was made."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from benchmarks.bench import Effort
from benchmarks.figures import Row, Series

_METHOD = (
    "The server has one core, the load generator the other. All servers of a scenario are up together and take their "
    "rounds in turns: {rounds} rounds of {seconds:.0f} s, {starts} process starts, {calls} calls in each round of "
    "single calls. A candidate counts with the median of its rounds, a JVM with its best one after {warm_up:.0f} s of "
    "warming. Only the ratios can be compared with those of another machine."
)


def table(rows: Iterable[Row]) -> str:
    """The rows with what was measured, what resolves the issue and what is wanted."""
    return _table(
        ("what", "measured", "reach", "aim", "", "from"),
        (
            (
                row.what,
                "-" if row.value is None else _quantity(row.value, row.unit),
                _bound(row, row.reach),
                _bound(row, row.aim),
                row.verdict,
                row.note,
            )
            for row in rows
        ),
    )


def document(
    rows: Iterable[Row],
    series: Iterable[Series],
    *,
    missing: Mapping[str, str],
    effort: Effort,
    machine: Mapping[str, str],
    versions: Mapping[str, str],
) -> str:
    """The whole page of results."""
    method = _METHOD.format(
        warm_up=effort.warm_up_s, rounds=effort.rounds, seconds=effort.seconds, starts=effort.starts, calls=effort.calls
    )
    absent = "\n".join(f"- {name}: {reason}" for name, reason in missing.items()) or "None."
    parts = [
        f"# Results of {datetime.now(UTC).date().isoformat()}",
        "Made by `make bench`; do not edit.",
        method,
        table(rows),
        "## Rounds",
        *(_rounds(each) for each in series),
        "## Missing peers",
        absent,
        "## Machine",
        _table(("", ""), machine.items()),
        "## Versions",
        _table(("", ""), versions.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _rounds(series: Series) -> str:
    rows = (
        (name, f"{series.counted(name):,.5g}", f"{min(values):,.5g}", f"{max(values):,.5g}")
        for name, values in series.rounds.items()
    )
    absent = ((name, "missing", "", reason) for name, reason in series.missing.items())
    return f"### {series.what}\n\n" + _table(("", series.unit, "lowest", "highest"), (*rows, *absent))


def _bound(row: Row, bound: float | None) -> str:
    return "-" if bound is None else f"{'≥' if row.more_is_better else '≤'} {bound:g}"


def _quantity(value: float, unit: str) -> str:
    return f"{value:.2f}" if unit == "x" else f"{value:.4g} {unit}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in line)} |" for line in lines
    )
