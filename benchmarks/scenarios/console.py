"""What the pages of the console cost: how long the first one takes, and how long calls wait while pages are read."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.figures import Outcome, Row, Series, interleaved
from benchmarks.peers import emulator
from benchmarks.servers import HOST, MeasurementError, ask
from benchmarks.traffic import INSTANCE_PATH, get

_STARTS = 10
_JOBS = 5_000
_RATE = 1_000
"""Calls in a second, whatever becomes of those before."""
_WRITE_EVERY = 100
_CONNECTIONS = 32
_BASE = "/_emulator/console/w/default/"
_PAGES = (
    "",
    "?text=job-4",
    "?offset=4950",
    "job?project=demo&job=running-stream",
    "instance?project=demo&job=running-stream&id=500002",
    "journal",
    "journal?text=nothing",
    "faults",
    "time?preview=5m",
    "compare",
    "coverage",
    "settings",
    "worlds",
    "scenarios?show=night-shift",
)
_STATE = "/api/v2/projects/demo/jobs/running-stream/instances/-1/expectstate"


def console(bench: Bench) -> Outcome:
    """The first page of a running server; calls at a steady rate into a world of 5,000 jobs, with and without pages.

    One call in a hundred writes, so that what pages keep of the world is of no use to the next one.
    """
    first, _ = interleaved({"first page": _first_page_ms}, _STARTS)
    pages = Series("the console's first page, of a running server", "ms", first)
    seed = _many_jobs(bench.cache.directory("seeds") / "many-jobs.json")
    with emulator("--seed", "default", "--seed", str(seed)).serving(bench.document) as server:
        for page in _PAGES:
            _page_ms(server.port, page)  # templates are compiled when they are first used
        measures = {
            "no pages": partial(_longest_wait_ms, server.port, bench.effort.seconds, ()),
            "pages": partial(_longest_wait_ms, server.port, bench.effort.seconds, _PAGES),
        }
        rounds, missing = interleaved(measures, bench.effort.rounds)
    what = f"longest wait of {_RATE:,} calls a second, {_JOBS:,} jobs"
    waits = Series(what, "ms", rounds, missing=missing)
    rows = [Row(pages.what, pages.counted("first page"), 300, 150, unit=" ms", note=f"median of {_STARTS} starts")]
    if missing:
        rows.append(Row(what, None, 20, 10, note="; ".join(missing.values())))
    else:
        alone, beside = waits.counted("no pages"), waits.counted("pages")
        note = f"{beside:,.3g} ms with pages, {alone:,.3g} without"
        rows.append(Row(f"{what}, added by pages", max(beside - alone, 0), 20, 10, unit=" ms", note=note))
    return Outcome(tuple(rows), (pages, waits))


def _first_page_ms() -> float:
    with emulator().server() as server:
        return _page_ms(server.port, "")


def _page_ms(port: int, page: str) -> float:
    began = time.perf_counter()
    answer = ask(port, "GET", _BASE + page)
    took = (time.perf_counter() - began) * 1000
    if answer.status != HTTPStatus.OK:
        raise MeasurementError(f"the page {page!r} is answered {answer.status}")
    return took


def _many_jobs(file: Path) -> Path:
    states = ("RUNNING", "RUNNING", "PAUSED", "FAILED")
    jobs = [
        {"JobName": f"job-{number:04}", "instances": [{"ActualState": states[number % len(states)]}]}
        for number in range(_JOBS)
    ]
    file.write_text(json.dumps({"projects": [{"Name": "large", "jobs": jobs}]}), "utf-8")
    return file


def _longest_wait_ms(port: int, seconds: float, pages: Sequence[str]) -> float:
    """From the instant at which a call is due to the end of its answer: the longest of a run."""
    return asyncio.run(_longest_wait(port, seconds, pages))


async def _longest_wait(port: int, seconds: float, pages: Sequence[str]) -> float:
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    waits: list[float] = []
    async with _connections(port, _CONNECTIONS) as connections:
        for each in connections:
            idle.put_nowait(each)
        reader = asyncio.create_task(_read_pages(port, pages))
        began = time.perf_counter()
        async with asyncio.TaskGroup() as calls:
            for number in range(round(seconds * _RATE)):
                due = began + number / _RATE
                if (early := due - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
                calls.create_task(_call(await idle.get(), idle, _request(number), due, waits))
        reader.cancel()
        done = (await asyncio.gather(reader, return_exceptions=True))[0]
    if isinstance(done, MeasurementError):
        raise done
    return max(waits)


def _request(number: int) -> bytes:
    if number % _WRITE_EVERY:
        return get(INSTANCE_PATH)
    body = f"expectState={('PAUSED', 'RUNNING')[number // _WRITE_EVERY % 2]}".encode()
    head = f"PUT {_STATE} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def _connections(port: int, count: int) -> AsyncIterator[list[_Connection]]:
    opened = [await asyncio.open_connection(HOST, port) for _ in range(count)]
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.close()


async def _call(
    connection: _Connection, idle: "asyncio.Queue[_Connection]", request: bytes, due: float, waits: list[float]
) -> None:
    await _ask(connection, request)
    waits.append((time.perf_counter() - due) * 1000)
    idle.put_nowait(connection)


async def _ask(connection: _Connection, request: bytes) -> None:
    reader, writer = connection
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status, length = int(head[9:12]), head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    if status >= HTTPStatus.BAD_REQUEST:
        raise MeasurementError(f"{request[:80]!r} is answered {status}")


async def _read_pages(port: int, pages: Sequence[str]) -> None:
    """One page after the other, as somebody who clicks as fast as pages come."""
    async with _connections(port, 1) as (connection,):
        for page in itertools.cycle(pages):
            await _ask(
                connection, get(_BASE + page, {"host": f"{HOST}:{port}"}).replace(b"Host: 127.0.0.1\r\n", b"", 1)
            )
            await asyncio.sleep(0)
