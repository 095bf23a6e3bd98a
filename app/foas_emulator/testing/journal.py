"""The journal of a world, for tests: read its calls, and verify expectations on them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import chain
from math import inf
from typing import Any
from urllib.parse import quote, urlencode

from foas_emulator.difference import Difference
from foas_emulator.journal.lines import number_and_call
from foas_emulator.showing import in_one_line
from foas_emulator.testing.client import ControlClient, EmulatorError
from foas_emulator.testing.shapes import JOURNAL_PAGE, LAST_OF_JOURNAL, ForeignAnswerError, Shape

__tracebackhide__ = True

_NOT_AS_EXPECTED = 422
_PAGE = 1000
_NO_END = "its pages have no end"


class Journal:
    """The calls of a world and their responses. Operations and values may be globs, and durations texts (`"5s"`)."""

    def __init__(self, control: ControlClient, path: str) -> None:
        self._control = control
        self._path = f"{path}/journal"

    def entries(self, *, last: int | None = None, **wanted: str | float | bool) -> list[dict[str, Any]]:
        """Return the entries that match all given conditions, the oldest first; with `last`, so many of the last ones.

        Conditions: operation, status, code, access_key_id, failed, faulted (by a rule), unread (parameters), unknown
        (path).
        """
        if last is not None:
            return self._last(last, wanted)
        entries: list[dict[str, Any]] = []
        after: Any = wanted.get("after", 0)
        while after is not None:
            page = self._page({**wanted, "limit": _PAGE, "after": after})
            entries += page["entries"]
            before, after = after, page["after"]
            if after is not None and after <= before:
                raise ForeignAnswerError(_NO_END)
        return entries

    def _last(self, most: int, wanted: Mapping[str, str | float | bool]) -> list[dict[str, Any]]:
        pages: list[list[dict[str, Any]]] = []
        left, part = most, {**wanted}
        while True:
            page = self._page({**part, "last": min(left, _PAGE)}, LAST_OF_JOURNAL)["entries"]
            if page and page[-1]["number"] >= part.get("before", inf):
                raise ForeignAnswerError(_NO_END)
            pages.append(page)
            left -= len(page)
            if left <= 0 or len(page) < _PAGE:
                return list(chain.from_iterable(reversed(pages)))
            part["before"] = page[0]["number"]

    def _page(self, query: Mapping[str, Any], shape: Shape = JOURNAL_PAGE) -> Any:
        return self._control.request("GET", f"{self._path}?{urlencode(query)}", shape=shape)

    def entry(self, request_id: str, *, number: int | None = None) -> dict[str, Any]:
        """Return the entry of one request. Raise `EmulatorError` if there is none.

        Of several with one id, as after a restored snapshot, it is the latest, unless its number says which one.
        """
        query = "" if number is None else f"?number={number}"
        return dict(self._control.request("GET", f"{self._path}/{quote(request_id, safe='')}{query}"))

    def clear(self) -> None:
        """Forget all calls so far."""
        self._control.discard(self._path)

    def assert_called(
        self,
        operation: str = "*",
        *,
        params: Mapping[str, str | int | bool] | None = None,
        status: int | None = None,
        exactly: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        within: str | float | timedelta | None = None,
        min_gap: str | float | timedelta | None = None,
        growth: float = 1,
        timeout: str | float | timedelta = 0,
    ) -> None:
        """Fail unless the operation was called this number of times with these parameters and this status.

        `within` counts only the busiest period of that length. With `min_gap` the calls must be that far apart, and
        with `growth` every gap must be that many times as long as the one before. `timeout` is the longest time to wait
        for it. Raise AssertionError with the differences and the closest calls, and `EmulatorError` if the journal has
        dropped calls that could matter.
        """
        count = _given(exactly=exactly, at_least=at_least, at_most=at_most)
        self._verify(
            operation=operation,
            params=params or {},
            timeout=timeout,
            **_given(
                status=status,
                within=within,
                count=count or None,
                backoff=None if min_gap is None else {"min": min_gap, "factor": growth},
            ),
        )

    def assert_not_called(self, operation: str, *, params: Mapping[str, str | int | bool] | None = None) -> None:
        """Fail if the operation was called with these parameters. Raise as `assert_called` does."""
        self.assert_called(operation, params=params, exactly=0)

    def assert_in_order(
        self, operations: Sequence[str | Mapping[str, Any]], *, timeout: str | float | timedelta = 0
    ) -> None:
        """Fail unless these were called one after the other, with any calls in between. Raise as `assert_called` does.

        Each is an operation or `{"operation": ..., "params": {...}, "status": ...}`. Raise ValueError for none.
        """
        steps = operations if isinstance(operations, str | Mapping) else list(operations)
        if not steps:
            raise ValueError("name the operations that must have been called")
        self._verify(in_order=steps, timeout=timeout)

    def _verify(self, **expected: Any) -> None:
        try:
            self._control.request("POST", f"{self._path}/verify", expected)
        except EmulatorError as refusal:
            if refusal.status != _NOT_AS_EXPECTED:
                raise
            raise AssertionError(explain(refusal)) from None


def explain(refusal: EmulatorError) -> str:
    """Return the message of a failed assertion: the differences, and the closest calls."""
    lines = [refusal.error]
    lines += [_line(difference) for difference in refusal.details["differences"]]
    if not refusal.details["nearest"]:
        return "\n".join([*map(in_one_line, lines), "It was not called at all."])
    lines.append("The nearest calls:")
    for near in refusal.details["nearest"]:
        lines.append(f"  {number_and_call(near['entry'])}")
        lines += [f"    {_line(difference)}" for difference in near["differences"]]
    return "\n".join(map(in_one_line, lines))


def _line(difference: Mapping[str, Any]) -> str:
    return Difference(difference["field"], difference["expected"], difference["actual"]).sentence


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
