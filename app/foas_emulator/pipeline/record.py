"""What is written down of every exchange."""

import logging

from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.journal.calls import Call, Fault
from foas_emulator.journal.contents import MOST_BYTES, Contents, kept_answer, kept_headers
from foas_emulator.journal.entries import ENTRY_SIZE, EntryTemplate
from foas_emulator.journal.journal import Journal
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.select_world import key_of
from foas_emulator.world.clock import stopwatch

SERVER_ERROR = 500
"""From this status on an answer is always logged: it is the server's fault."""

_CALL = 250
"""Bytes that a call of its own takes, roughly."""
_PARAMETERS = 520
"""Bytes that parameters of its own take beside their text, roughly."""

access_log = logging.getLogger("foas_emulator.access")


class Record:
    """Opens the record of an exchange when it begins and closes it when its answer is sent."""

    def __init__(self, journal: Journal, *, log_access: bool) -> None:
        self._journal = journal
        self._log_access = log_access

    def __call__(self, context: RequestContext) -> None:
        context.started = stopwatch()

    def template(self, context: RequestContext, reply: GatewayResponse) -> EntryTemplate:
        """Where the journal writes an exchange that is answered like this, and all that repeat it."""
        return self._journal.template(context.world_name, call_of(context, reply), reply.content)

    def close(self, context: RequestContext, reply: GatewayResponse) -> None:
        """Enter the exchange into the journal of its world, if it came into one."""
        if context.has_world:
            template = context.template or self.template(context, reply)
            self._journal.write(template, context.request_id, context.started)
        if self._log_access or reply.status_code >= SERVER_ERROR:
            self._log(context, reply)

    def _log(self, context: RequestContext, reply: GatewayResponse) -> None:
        milliseconds = (stopwatch() - context.started) / 1e6 if context.started else 0.0
        operation = context.operation.name if context.operation else "-"
        access_log.log(
            logging.ERROR if reply.status_code >= SERVER_ERROR else logging.INFO,
            "%s %s world=%s %s %d %.3f ms",
            context.request_id,
            operation,
            context.world_name or "-",
            f"{context.method} {context.raw_path}",
            reply.status_code,
            milliseconds,
            extra={
                "request_id": context.request_id,
                "operation": operation,
                "world": context.world_name,
                "status": reply.status_code,
                "milliseconds": round(milliseconds, 3),
            },
        )


def call_of(context: RequestContext, reply: GatewayResponse) -> Call:
    """What the journal keeps of an exchange that is answered like this. It renders nothing."""
    operation, faults, verdict = context.operation, context.faults, context.authentication
    authorization, action = context.headers.get("authorization"), context.headers.get("x-acs-action")
    text = len(context.query_string) + len(context.body)
    contents = contents_of(context, reply)
    return Call(
        operation,
        context.method,
        context.raw_path if operation is None else "",
        context.parameters,
        context.unread,
        key_of(authorization) if authorization else "",
        (verdict.code or "valid") if verdict is not None else "unchecked" if authorization else "unsigned",
        context.warning,
        action if action is not None and operation is not None and action != operation.name else None,
        context.format,
        reply.status_code,
        reply.code,
        tuple(Fault(rule.id, rule.written, rule.at) for rule in faults) if faults else (),
        context.world.clock.reading,
        ENTRY_SIZE + _CALL + contents.size + (_PARAMETERS + text if text else 0),
        contents,
    )


def contents_of(context: RequestContext, reply: GatewayResponse) -> Contents:
    """The bytes of an exchange: those of the answer are the ones that the read cache keeps."""
    result, content = context.authentication, reply.content
    arguments = {} if result is None else result.message_args
    return Contents(
        kept_headers(context.headers.items()),
        context.raw_path,
        context.query_string,
        context.body[:MOST_BYTES],
        len(context.body),
        (*reply.extra_headers, (b"content-type", reply.content_type)),
        kept_answer(content),
        len(content.head) + len(content.tail) + len(context.request_id) if reply.status_code else 0,
        arguments.get("canonical_request") or arguments.get("string_to_sign", ""),
        () if result is None else result.differences,
    )
