"""The pages of the journal: the latest calls, and one call with an explanation of its answer."""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from foas_emulator.console import snippets
from foas_emulator.console.language import mark
from foas_emulator.console.rows import Row, outcome_of, row_of
from foas_emulator.console.site import View
from foas_emulator.journal.entries import Entry, WorldJournal, show_whole
from foas_emulator.journal.queries import find
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.world.threads import in_thread

MOST_ROWS = 200
MOST_CODES = 100
LOOKED_THROUGH = 5000
_SLICE = 50
SIGNATURES = {
    "valid": mark("valid"),
    "unsigned": mark("none, the request is unsigned"),
    "unchecked": mark("not checked"),
}
"""What the journal's words for a signature mean; its other words are codes of errors."""
FILTERS = ("only", "operation", "code", "text")


async def journal_page(view: View) -> dict[str, Any]:
    """Return the context of the latest calls that match, at most two hundred; all calls count as viewed then."""
    world_journal = view.site.journal.world_journal(view.world.name)
    view.site.look_at(view.world.name, world_journal.total)
    wanted = {name: view.query.get(name, "")[:200] for name in FILTERS}
    codes = {outcome for _, outcome, _ in world_journal.usage.calls if outcome not in ("OK", "unanswered")}
    return {
        "rows": await found(world_journal, wanted),
        "wanted": wanted,
        "operations": _with_chosen(wanted["operation"], sorted({name for name, _, _ in world_journal.usage.calls})),
        "codes": _with_chosen(wanted["code"], sorted(codes)[:MOST_CODES]),
        "codes_total": len(codes),
        "searched": LOOKED_THROUGH,
        "total": world_journal.total,
        "lost": world_journal.lost,
        "most": MOST_ROWS,
        "example": snippets.shell(view.base_url, "/api/v2/projects", view.world.name, is_strict=view.is_strict),
    }


def _with_chosen(chosen: str, names: list[str]) -> list[str]:
    """Return the names to choose from with the chosen one: a link may name one that did not occur in this world."""
    return [chosen, *names] if chosen and chosen not in names else names


async def found(world_journal: WorldJournal, wanted: Mapping[str, str]) -> list[Row]:
    """Return the latest rows that match, among a limited number; other requests are served in between."""
    rows: list[Row] = []
    for position, (number, entry) in enumerate(world_journal.last(LOOKED_THROUGH)[::-1]):
        if position % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
        call = entry.call
        if wanted["operation"] and call.operation_name != wanted["operation"]:
            continue
        if wanted["code"] and call.code != wanted["code"]:
            continue
        if wanted["only"] and outcome_of(call) != wanted["only"]:
            continue
        row = row_of(number, entry)
        if wanted["text"] and wanted["text"].lower() not in row.text.lower():
            continue
        rows.append(row)
        if len(rows) == MOST_ROWS:
            break
    return rows


async def call_page(view: View) -> dict[str, Any]:
    """Return the context of one call: the explanation, then the request beside the answer."""
    request_id = view.query.get("request_id", "")
    pair = await find(view.site.journal.world_journal(view.world.name), request_id, view.number("number") or None)
    if pair is None:
        return {"call": None, "request_id": request_id, "status": HTTPStatus.NOT_FOUND}
    return await in_thread(_explained, view, *pair)


def _explained(view: View, number: int, entry: Entry) -> dict[str, Any]:
    document = show_whole(number, entry, OPERATIONS)
    check = document.get("signature_check")
    return {
        "call": document,
        "row": row_of(number, entry),
        "unread": frozenset(document["unread"]),
        "request_id": entry.request_id,
        "signatures": SIGNATURES,
        "signature": side_by_side(check["string_to_sign"], check["differences"]) if check else None,
        "snippets": snippets.once_more(
            document, entry.call.contents.sent, view.base_url, view.world.name, is_strict=view.is_strict
        ),
        "is_strict": view.is_strict,
        "fault": snippets.fault(document),
    }


def side_by_side(text: str, differences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the server's string to sign, line by line, beside the client's, with the first difference marked.

    The client sends only its signature and not its text, so its line is known only if the mistake was found.
    """
    first = differences[0] if differences else {"field": "", "expected": None, "actual": None}
    expected = first["expected"] or ""
    lines = []
    is_found = False
    for line in text.split("\n"):
        differs = not is_found and bool(expected) and expected in line
        is_found = is_found or differs
        lines.append((line, _as_signed(line, first) if differs else line, differs))
    return {"lines": lines, "first": first, "differences": differences, "is_found": is_found}


def _as_signed(line: str, difference: Mapping[str, Any]) -> str:
    """Return a line of the server's string to sign as the client signed it; "" for a header that it left out."""
    if difference["actual"] is None and line.startswith(f"{difference['field']}:"):
        return ""
    return line.replace(difference["expected"], difference["actual"] or "", 1)
