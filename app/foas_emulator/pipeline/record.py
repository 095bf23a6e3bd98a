"""What is written down of every exchange."""

import logging

from foas_emulator.gateway.exchange import Exchange
from foas_emulator.gateway.reply import Reply
from foas_emulator.journal.calls import Call, Fault
from foas_emulator.journal.entries import ENTRY_SIZE, Heading
from foas_emulator.journal.journal import Journal
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

    def __call__(self, exchange: Exchange) -> None:
        exchange.started = stopwatch()

    def heading(self, exchange: Exchange, reply: Reply) -> Heading:
        """Where the journal writes an exchange that is answered like this, and all that repeat it."""
        return self._journal.heading(exchange.world_name, call_of(exchange, reply), reply.content)

    def close(self, exchange: Exchange, reply: Reply) -> None:
        """Enter the exchange into the journal of its world, if it came into one."""
        if exchange.world is not None:
            heading = exchange.heading or self.heading(exchange, reply)
            self._journal.write(heading, exchange.request_id, exchange.started)
        if self._log_access or reply.status_code >= SERVER_ERROR:
            self._log(exchange, reply)

    def _log(self, exchange: Exchange, reply: Reply) -> None:
        milliseconds = (stopwatch() - exchange.started) / 1e6 if exchange.started else 0.0
        operation = exchange.operation.name if exchange.operation else "-"
        access_log.log(
            logging.ERROR if reply.status_code >= SERVER_ERROR else logging.INFO,
            "%s %s world=%s %s %d %.3f ms",
            exchange.request_id,
            operation,
            exchange.world_name or "-",
            f"{exchange.method} {exchange.raw_path}",
            reply.status_code,
            milliseconds,
            extra={
                "request_id": exchange.request_id,
                "operation": operation,
                "world": exchange.world_name,
                "status": reply.status_code,
                "milliseconds": round(milliseconds, 3),
            },
        )


def call_of(exchange: Exchange, reply: Reply) -> Call:
    """What the journal keeps of an exchange that is answered like this. It copies nothing and renders nothing."""
    operation, faults, verdict = exchange.operation, exchange.faults, exchange.verdict
    authorization, action = exchange.headers.get("authorization"), exchange.headers.get("x-acs-action")
    text = len(exchange.query_string) + len(exchange.body)
    return Call(
        operation,
        exchange.method,
        exchange.raw_path if operation is None else "",
        exchange.parameters,
        exchange.unread,
        key_of(authorization) if authorization else "",
        (verdict.code or "valid") if verdict is not None else "unchecked" if authorization else "unsigned",
        exchange.warning,
        action if action is not None and operation is not None and action != operation.name else None,
        exchange.format,
        reply.status_code,
        reply.code,
        tuple(Fault(rule.id, rule.written, rule.at) for rule in faults) if faults else (),
        exchange.world.clock.reading,
        ENTRY_SIZE + _CALL + (_PARAMETERS + text if text else 0),
    )
