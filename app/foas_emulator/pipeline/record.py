"""What is written down of every exchange."""

import logging

from foas_emulator.gateway.exchange import Exchange
from foas_emulator.gateway.reply import Reply
from foas_emulator.world.clock import stopwatch

SERVER_ERROR = 500
"""From this status on an answer is always logged: it is the server's fault."""

access_log = logging.getLogger("foas_emulator.access")


class Record:
    """Opens the record of an exchange when it begins and closes it when its answer is sent."""

    def __init__(self, *, log_access: bool) -> None:
        self._log_access = log_access

    def __call__(self, exchange: Exchange) -> None:
        exchange.started = stopwatch()

    def close(self, exchange: Exchange, reply: Reply) -> None:
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
