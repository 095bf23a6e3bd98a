"""Write the journal entry of every request."""

import logging
from sys import getsizeof

from foas_emulator.gateway.responses import GatewayResponse, header_text
from foas_emulator.journal.calls import Call, Fault
from foas_emulator.journal.contents import MOST_BYTES, Contents, kept_answer, kept_headers
from foas_emulator.journal.entries import ENTRY_SIZE, EntryTemplate
from foas_emulator.journal.journal import Journal
from foas_emulator.json_bounds import memory_of
from foas_emulator.masking import masked
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.select_world import shown_key
from foas_emulator.world.clock import stopwatch

SERVER_ERROR = 500
"""Answers with this status or a higher one are always logged, as errors of the server; but see `REFUSED_FOR_NOW`."""
REFUSED_FOR_NOW = 503
"""The status of what is refused for lack of room or a resource: no fault of the server, which floods of calls meet."""

EVIDENCE = b"x-emulator-evidence"

_CALL = 250
"""Approximate size in bytes of a call, without its parameters and texts."""

access_log = logging.getLogger("foas_emulator.access")


class Record:
    """The stage that notes when a request arrives; it also logs responses and writes journal entries once they end."""

    def __init__(self, journal: Journal, *, log_access: bool, log_refused: bool) -> None:
        self._journal = journal
        self._log_access = log_access
        self._log_refused = log_refused

    def __call__(self, context: RequestContext) -> None:
        context.started = stopwatch()

    def template(self, context: RequestContext, response: GatewayResponse) -> EntryTemplate:
        """Return the journal's template for a request with this response, and for its repetitions."""
        return self._journal.template(context.world_name, call_of(context, response), response.content)

    def close(self, context: RequestContext, response: GatewayResponse) -> None:
        """Write the entry of a request into the journal of its world, unless it entered none or has outlived it."""
        if context.is_of_its_world:
            template = context.template or self.template(context, response)
            self._journal.write(template, context.request_id, context.started)

    def log(self, context: RequestContext, response: GatewayResponse) -> None:
        """Log a call in one line if the settings ask for it; an error with its code and hint, which no SDK shows."""
        is_refused = response.code is not None and self._log_refused
        is_fault = response.status_code >= SERVER_ERROR and response.status_code != REFUSED_FOR_NOW
        if self._log_access or is_refused or is_fault:
            level = logging.ERROR if is_fault else logging.WARNING if is_refused else logging.INFO
            self._write_line(context, response, level)

    def _write_line(self, context: RequestContext, response: GatewayResponse, level: int) -> None:
        milliseconds = (stopwatch() - context.started) / 1e6 if context.started else 0.0
        operation = context.operation.name if context.operation else "-"
        path = masked(context.raw_path)
        access_log.log(
            level,
            "%s %s world=%s %s %d %.3f ms%s",
            context.request_id,
            operation,
            context.world_name or "-",
            f"{context.method} {path}",
            response.status_code,
            milliseconds,
            "" if response.code is None else f" {header_text(response.code).decode()}: {response.hint}",
            extra={
                "request_id": context.request_id,
                "operation": operation,
                "world": context.world_name,
                "method": context.method,
                "path": path,
                "status": response.status_code,
                "milliseconds": round(milliseconds, 3),
                "code": response.code,
                "hint": response.hint,
            },
        )


def call_of(context: RequestContext, response: GatewayResponse) -> Call:
    """Return the journal's record of a request and its response, without rendering anything."""
    operation, faults = context.operation, context.faults
    authorization, action = context.headers.get("authorization"), context.headers.get("x-acs-action")
    raw_path = context.raw_path if operation is None else ""
    access_key_id = shown_key(authorization) if authorization else ""
    action = action if action is not None and operation is not None and action != operation.name else None
    contents = contents_of(context, response)
    is_refused = response.code is not None
    return Call(
        operation=operation,
        method=context.method,
        raw_path=raw_path,
        parameters=context.parameters,
        unread=context.unread,
        access_key_id=access_key_id,
        signature=_signature_of(context),
        warning=context.warning,
        action=action,
        format=context.format,
        status=response.status_code,
        code=response.code,
        faults=tuple(Fault(rule.id, rule.written, rule.at) for rule in faults) if faults else (),
        clock=context.clock or context.world.clock.reading,
        size=ENTRY_SIZE
        + _CALL
        + len(access_key_id)
        + len(action or "")
        + len(context.warning or "")
        + (getsizeof(response.hint) if response.hint else 0)
        + memory_of(context.parameters)
        + (memory_of([rule.written for rule in faults]) if faults else 0)
        + contents.size,
        contents=contents,
        hint=response.hint,
        evidence=response.header(EVIDENCE) if is_refused else None,
    )


def _signature_of(context: RequestContext) -> str:
    """Return the journal's word for the state of a request's signature."""
    if context.authentication_failure is not None:
        return context.authentication_failure.code
    if context.was_authenticated:
        return "valid"
    return "unchecked" if context.headers.get("authorization") else "unsigned"


def contents_of(context: RequestContext, response: GatewayResponse) -> Contents:
    """Return the bytes of a request and its response; those of the response are shared with the read cache."""
    failure, content = context.authentication_failure, response.content
    arguments = {} if failure is None else failure.message_args
    return Contents(
        headers=kept_headers(context.headers.items()),
        raw_path=context.raw_path,
        query=context.query_string,
        sent=context.body[:MOST_BYTES],
        sent_size=len(context.body),
        answer_headers=(*response.extra_headers, (b"content-type", response.content_type)),
        answer=kept_answer(content),
        answer_size=content.size + len(context.request_id) if response.status_code else 0,
        string_to_sign=arguments.get("canonical_request") or arguments.get("string_to_sign", ""),
        differences=() if failure is None else failure.differences,
    )
