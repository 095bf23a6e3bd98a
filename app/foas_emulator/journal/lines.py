"""Entries of the journal as lines of text."""

import json
from collections.abc import Mapping
from typing import Any

from foas_emulator.showing import in_one_line


def describe_call(call: Mapping[str, Any]) -> str:
    """Return a call as one line for a terminal, and below it the fault rules that applied, and its hint and warning."""
    line = f"{_answer(call)} <- {_request(call)}"
    return "\n    ".join(map(in_one_line, [line, *_faults(call), *_reasons(call)]))


def lines_of_call(call: Mapping[str, Any]) -> str:
    """Return what was asked and answered and, below it, when, the id, and what of the emulator had a part in it."""
    when = "; ".join([f"{call['time']} request {call['request_id']}", *_faults(call)])
    return "\n   ".join(map(in_one_line, [number_and_call(call), when, *_reasons(call)]))


def number_and_call(call: Mapping[str, Any]) -> str:
    """Return a call with its number, as in `#1 GetJob {"jobName": "j"} -> 404 InvalidJob.NotFound`."""
    return f"#{call['number']} {_request(call)} -> {_answer(call)}"


def _faults(call: Mapping[str, Any]) -> list[str]:
    """Return a remark for each fault rule that applied to a call."""
    return [f"fault rule {rule['id']} applied {json.dumps(rule['effect'])}" for rule in call.get("faults") or ()]


def _reasons(call: Mapping[str, Any]) -> list[str]:
    """Return the hint and the warning of a call, if it has them."""
    return [str(call[name]) for name in ("hint", "warning") if call.get(name)]


def _request(call: Mapping[str, Any]) -> str:
    asked = call.get("operation") or f"{call.get('method')} {call.get('path')}"
    return f"{asked} {json.dumps(call.get('parameters'), ensure_ascii=False)}"


def _answer(call: Mapping[str, Any]) -> str:
    return f"{call.get('status') or 'no answer'} {call.get('code') or ''}".strip()
