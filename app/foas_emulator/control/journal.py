"""The journal of a world: search it, verify expectations on it, and forget it."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator

from foas_emulator.control.answers import JournalEntryWithContents, JournalPage, Verified, answers
from foas_emulator.control.documents import DocumentRoute
from foas_emulator.control.errors import ControlError, no_world, require_world
from foas_emulator.control.paths import WorldName
from foas_emulator.difference import Difference
from foas_emulator.gateway.large_answers import LargeAnswers
from foas_emulator.gateway.responses import until_disconnected
from foas_emulator.journal.entries import Entry, WorldJournal, show, show_whole
from foas_emulator.journal.journal import Journal
from foas_emulator.journal.lines import lines_of_call
from foas_emulator.journal.queries import Filter, Page, find, read_first, read_last
from foas_emulator.journal.verification import Expectation, Finding, Verification, closest_entries
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.showing import counted
from foas_emulator.world.clock import stopwatch
from foas_emulator.world.durations import duration, whole_number
from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.registry import Registry
from foas_emulator.world.threads import in_thread

_PLAIN = BeforeValidator(whole_number)

EntryNumber = Annotated[
    int | None,
    Query(ge=1, description="Return the entry with this number, where several have the id: after a restored snapshot."),
    _PLAIN,
]

_NAMED = 3
"""Differences that the hint of a failed verification names."""
_LOOK_AT_MOST_EVERY = 0.02
"""Seconds between two checks of a growing journal while a verification waits, at least."""
_PAUSE = 10
"""How many times as long as a check the pause before the next one is, because checks grow with the calls that match."""
_LONGEST_PAUSE = 1.0
MOST_VERIFYING = 256 * 1024 * 1024
"""The most bytes of verifications that are under way, most of which wait. A single one may be larger."""
_VERIFICATION = 20_000
"""Approximate size in bytes of a verification with its task and connection, without its expectation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The part of the entries to return, the first ones or the last ones with a number between two others; its form."""

    after: Annotated[
        int, Query(ge=0, description="Only entries with a higher number, as for the next page."), _PLAIN
    ] = 0
    before: Annotated[int | None, Query(ge=1, description="Only entries with a lower number."), _PLAIN] = None
    limit: Annotated[int, Query(ge=1, le=1000, description="Return so many entries, the first ones."), _PLAIN] = 100
    last: Annotated[
        int | None, Query(ge=1, le=1000, description="Return so many entries, the last ones; not with `limit`."), _PLAIN
    ] = None

    form: Annotated[
        Literal["json", "text"],
        Query(alias="as", description="With `text`, return lines for people, as `foas-emulator journal` prints them."),
    ] = "json"

    async def read(self, world_journal: WorldJournal, wanted: Filter) -> Page:
        if self.last is None:
            return await read_first(world_journal, wanted, limit=self.limit, after=self.after, before=self.before)
        return await read_last(world_journal, wanted, most=self.last, after=self.after, before=self.before)


class _Verifications:
    """The estimated size of all verifications that are under way."""

    def __init__(self) -> None:
        self._size = 0

    @contextmanager
    def counting(self, expected: Expectation, body: bytes) -> Iterator[None]:
        """Count a verification during the block. Raise `ControlError` if there are too many."""
        size = _VERIFICATION + len(body) + expected.size
        if self._size and self._size + size > MOST_VERIFYING:
            raise ControlError(
                503,
                f"Verifications that are under way hold {self._size} bytes; {MOST_VERIFYING} are allowed.",
                "Ask again when others are done, or choose shorter timeouts.",
            )
        self._size += size
        try:
            yield
        finally:
            self._size -= size


async def _filter(wanted: Annotated[Filter, Depends()]) -> Filter:
    """Return the conditions. Raise `ControlError` if no call could ever meet them."""
    try:
        wanted.check_scope(OPERATIONS)
    except ValueError as error:
        raise ControlError(400, "No call could ever match.", f"{error}.") from None
    return wanted


def _refuse_limit_with_last(request: Request) -> None:
    if {"limit", "last"} <= request.query_params.keys():
        hint = "limit returns the first entries, last the last ones: give one of them."
        raise ControlError(400, "There are both limit and last.", hint)


def journal_router(registry: Registry, journal: Journal, large: LargeAnswers) -> APIRouter:
    """Return the routes of each world's journal under `/worlds/{world}/journal`."""
    router = APIRouter(prefix="/worlds/{world}/journal", route_class=DocumentRoute, tags=["journal"])
    verifying, writing = LoopLock(), LoopLock()
    verifications = _Verifications()

    def answer(text: bytes, media_type: str = "application/json") -> Response:
        large.require_room(len(text))
        return Response(text, media_type=media_type)

    @router.get("", dependencies=[Depends(_refuse_limit_with_last)], **answers(JournalPage, or_text=True))
    async def read_journal(
        name: WorldName, wanted: Annotated[Filter, Depends(_filter)], part: Annotated[_Part, Depends()]
    ) -> Response:
        """Return the entries that match, the oldest first. `lost` entries were dropped to keep within the budget."""
        require_world(registry, name)
        await journal.sort()
        world_journal = journal.world_journal(name)
        lost = world_journal.lost
        page = await part.read(world_journal, wanted)
        if part.form == "text":
            return answer(await _write(writing, partial(_lines, name, page)), "text/plain")
        rest = {"total": page.total, "after": page.after, "lost": lost}
        return answer(await _write(writing, partial(_written_page, page.entries, rest)))

    @router.get("/{request_id}", **answers(JournalEntryWithContents))
    async def read_entry(name: WorldName, request_id: str, number: EntryNumber = None) -> Response:
        """Return the latest entry with a request id, with headers and bodies; secrets and signatures are masked."""
        require_world(registry, name)
        await journal.sort()
        found = await find(journal.world_journal(name), request_id, number)
        if found is None:
            hint = "It belongs to another world, or the journal has lost it: the setting journal_bytes says when."
            raise ControlError(404, f"The journal of world {name} has no request {request_id}.", hint)
        return answer(await in_thread(partial(_written_whole, *found)))

    @router.delete("", status_code=204)
    async def forget_journal(name: WorldName) -> Response:
        """Forget all entries of the journal."""
        require_world(registry, name)
        journal.forget(name)
        return Response(status_code=204)

    @router.post("/verify", **answers(Verified))
    async def verify_journal(
        name: WorldName, request: Request, expected: Annotated[Expectation, Body(openapi_examples=_EXAMPLES)]
    ) -> JSONResponse:
        """Verify an expectation on the calls of a world; wait for it until `timeout`, if that is given."""
        with verifications.counting(expected, await request.body()):
            try:
                await expected.check_scope(OPERATIONS)
            except ValueError as error:
                raise ControlError(400, "The expectation could never be met.", f"{error}.") from None
            require_world(registry, name)
            finding = await _verify_until(registry, journal, name, expected, request=request, lock=verifying)
        if finding.holds:
            return JSONResponse({"ok": True})
        raise await _failed(journal, name, expected, finding)

    return router


async def _write(lock: LoopLock, write: Callable[[], bytes]) -> bytes:
    async with lock:  # several threads that write pages would keep the event loop from the processor
        return await in_thread(write)


def _written_page(entries: Sequence[tuple[int, Entry]], rest: Mapping[str, Any]) -> bytes:
    written = [json.dumps(show(number, entry, OPERATIONS), ensure_ascii=False) for number, entry in entries]
    return f'{{"entries":[{",".join(written)}],{json.dumps(rest)[1:]}'.encode()


def _lines(name: str, page: Page) -> bytes:
    lines = [lines_of_call(show(number, entry, OPERATIONS)) for number, entry in page.entries]
    if page.after is not None:
        lines.append(f"More calls follow: after={page.after} leads to them.")
    return ("\n".join(lines or [f"The journal of world {name} has no such call."]) + "\n").encode()


def _written_whole(number: int, entry: Entry) -> bytes:
    return json.dumps(show_whole(number, entry, OPERATIONS), ensure_ascii=False).encode()


async def _verify_until(
    registry: Registry, journal: Journal, name: str, expected: Expectation, *, request: Request, lock: LoopLock
) -> Finding:
    """Check after every new entry of the world, until the expectation holds, time is up, or the client has left.

    Raise `ControlError` once there is no such world any more.
    """
    verification = Verification(expected)

    async def look() -> tuple[Finding, float]:
        """Return what is found, and the seconds after which to look again."""
        async with lock:
            await asyncio.sleep(0)  # others are served between two that look
            await journal.sort()
            if not registry.exists(name):
                raise no_world(name)
            began = stopwatch()
            found = await verification.look(journal.world_journal(name))
            return found, min(max(_LOOK_AT_MOST_EVERY, (stopwatch() - began) / 1e9 * _PAUSE), _LONGEST_PAUSE)

    remaining = duration(expected.timeout) / 1000
    changed = asyncio.Event()
    with suppress(TimeoutError), journal.watched(name, changed.set):  # also calls that end during the first look
        finding, _ = await look()
        if finding.holds or remaining <= 0:
            return finding
        left = asyncio.ensure_future(until_disconnected(request.receive))
        left.add_done_callback(lambda _: changed.set())
        pause = _LOOK_AT_MOST_EVERY
        try:
            async with asyncio.timeout(remaining):
                while not finding.holds and not left.done():
                    await changed.wait()
                    await asyncio.sleep(pause)
                    changed.clear()
                    finding, pause = await look()
        finally:
            left.cancel()
    return finding if finding.holds else (await look())[0]


async def _failed(journal: Journal, name: str, expected: Expectation, finding: Finding) -> ControlError:
    world_journal = journal.world_journal(name)
    if not finding.is_certain:
        return ControlError(
            409,
            f"The journal has lost the first {counted(world_journal.lost, 'call')} of world {name}, so this cannot be "
            "decided.",
            "DELETE the journal before the calls that matter, or raise the setting journal_bytes.",
        )
    closest = await closest_entries(world_journal, expected)
    near = await in_thread(partial(_show_close, closest, expected))
    differing = [each.sentence for each in finding.differences]
    more = f"; and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
    return ControlError(
        422,
        f"World {name} was not called as expected.",
        "; ".join(differing[:_NAMED]) + more + ".",
        ok=False,
        differences=_show(finding.differences),
        nearest=near,
    )


def _show_close(closest: Iterable[tuple[int, Entry]], expected: Expectation) -> list[dict[str, Any]]:
    return [
        {"entry": show(number, entry, OPERATIONS), "differences": _show(expected.differences(entry.call))}
        for number, entry in closest
    ]


def _show(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    return [{"field": each.field, "expected": each.expected, "actual": each.actual} for each in differences]


_EXAMPLES: Any = {
    "tried again, and not at once": {
        "value": {"operation": "StartJob", "count": {"at_least": 3}, "backoff": {"min": "100ms", "factor": 2}}
    },
    "never": {"value": {"operation": "Delete*", "count": {"exactly": 0}}},
    "in this order": {"value": {"in_order": ["CreateJob", "CommitJob", "StartJob"], "timeout": "5s"}},
}
