"""The errors of the control API: `{"error", "hint"}` with an appropriate status."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.faults.rules import RuleLimitError
from foas_emulator.garbage import forget_frames
from foas_emulator.gateway.errors import ApiError
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.limits import path_of
from foas_emulator.seeds.members import problem
from foas_emulator.world.clock import ClockIsAheadError, ClockRangeError
from foas_emulator.world.file_errors import UnreadableRowError, WorldFileError, WorldFullError, file_error
from foas_emulator.world.images import ImageBudgetError
from foas_emulator.world.names import WorldLimitError, WorldNameError
from foas_emulator.world.registry import Registry
from foas_emulator.world.shortage import refused_by_system
from foas_emulator.world.snapshot import SnapshotError
from foas_emulator.world.store import StoppedError, StoreClosedError
from foas_emulator.world.world import World

METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")
"""The methods of the control API."""

_LONGEST = 4000
"""The most characters of an error or a hint: a wrong value may have any length and need not be repeated completely."""

log = logging.getLogger(__name__)

_RefusalOf = Callable[[Request, Any], "ControlError"]


class ControlError(Exception):
    """An error of the control API, with what to do about it as `hint`. `details` are further members of the answer."""

    def __init__(self, status: int, error: str, hint: str, **details: Any) -> None:
        super().__init__(f"{error} {hint}")
        self.status = status
        self.error = error
        self.hint = hint
        self.details = details
        self.headers: dict[str, str] = {}

    def answer(self) -> JSONResponse:
        members = {"error": _cut(self.error), "hint": _cut(self.hint), **self.details}
        asks = {"www-authenticate": "Bearer"} if self.status == HTTPStatus.UNAUTHORIZED else {}
        return JSONResponse(members, self.status, headers={**asks, **self.headers})


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def no_world(name: str) -> ControlError:
    """Return the error for a world that does not exist; programs recognise it by its member `no_world`."""
    hint = "GET /_emulator/worlds lists the worlds; PUT creates one, and so does any request to the service in it."
    return ControlError(404, f"There is no world {name}.", hint, no_world=name)


def stopping() -> ControlError:
    """Return the error for a request that the emulator can no longer handle, because it is being stopped."""
    return ControlError(503, "The emulator is being stopped.", "Ask again once it runs.")


def require_world(registry: Registry, name: str) -> World:
    """Return an existing world. Raise `ControlError` if it does not exist: calls that only read create no world."""
    world = registry.open_existing(name)
    if world is None:
        raise no_world(name)
    return world


def answer_errors(app: FastAPI, *, next_request_id: Callable[[], str]) -> None:
    """Make an application answer all exceptions in the form of the control API.

    An unexpected one is logged once, with its traceback, under the request id in the answer.
    """
    for kind, refusal_of in _REFUSALS.items():
        app.add_exception_handler(kind, _answering(refusal_of))
    app.add_exception_handler(HTTPException, _answering(partial(_no_route, app)))
    app.add_middleware(AnswerUnexpected, next_request_id=next_request_id)


def _answering(refusal_of: _RefusalOf) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    """Return a handler that answers an exception by its refusal, and forgets the frames of the exception."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        response = refusal_of(request, error).answer()
        forget_frames(error)
        return response

    return answer


class AnswerUnexpected:
    """Middleware that answers unexpected exceptions, so that the connection stays open."""

    def __init__(self, app: ASGIApp, *, next_request_id: Callable[[], str]) -> None:
        self._app = app
        self._next_request_id = next_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def sending(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if has_begun:
                raise
            refusal = self._refusal(error, scope)
            forget_frames(error)
            await refusal.answer()(scope, receive, send)

    def _refusal(self, error: Exception, scope: Scope) -> ControlError:
        if (refused := refused_by_system(error)) is not None:
            return lack(refused)
        request_id = self._next_request_id()
        log.error("control request %s failed: %s %s", request_id, scope["method"], scope["path"], exc_info=error)
        hint = f"This is a fault of the emulator: its log has the reason under {request_id}. Please report it."
        return ControlError(500, "The request failed unexpectedly.", hint, request_id=request_id)


def _methods_at(app: FastAPI, request: Request) -> set[str]:
    """Return the methods of a path. Each has a route of its own, and Starlette reports only that of the first."""
    methods = {method for method in METHODS if _has_route(app, {**request.scope, "method": method})}
    return methods | {"HEAD"} if "GET" in methods else methods


def _has_route(app: FastAPI, scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


def _no_route(app: FastAPI, request: Request, error: HTTPException) -> ControlError:
    if isinstance(error.__cause__, ControlError):
        return error.__cause__  # FastAPI wraps what the reading of a body raises
    if error.__cause__ is not None and (refused := refused_by_system(error.__cause__)) is not None:
        return lack(refused)
    hint = "/docs/control lists what the control API can be asked."
    if request.scope["path"].endswith("/") and request.scope["path"] != "/":
        hint = f"Leave out the slash at the end of the path. {hint}"
    refusal = ControlError(error.status_code, f"{error.detail}.", hint)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        refusal.headers["allow"] = ", ".join(sorted(_methods_at(app, request)))
    return refusal


def _failed_statement(request: Request, error: Exception) -> ControlError:
    trouble = file_error(error, Path(f"{request.path_params.get('world')}.db"))
    if trouble is None:
        raise error
    return _unusable_file(trouble)


def _invalid_request(request: Request, error: RequestValidationError) -> ControlError:
    dependant = request.scope["route"].dependant
    bodies, query = dependant.body_params, [field.alias for field in dependant.query_params]
    root = bodies[0].field_info.annotation if len(bodies) == 1 else None
    refusal = ControlError(400, "The request is not valid.", _describe_problems(error.errors(), root, query))
    for each in error.errors():
        each.pop("ctx", None)  # what a validator raised: its frames refer to these errors, a cycle (see garbage.py)
    return refusal


_SHOWN_PROBLEMS = 20
"""The most problems of a request to describe."""


def _describe_problems(found: Sequence[Any], body: Any, query: Sequence[str]) -> str:
    """Return the problems that pydantic found in a request, with this type of body and query, as one line."""
    problems = [_problem(details, body, query) for details in found[:_SHOWN_PROBLEMS]]
    more = [f"and {len(found) - len(problems)} more"] if len(found) > len(problems) else []
    return "; ".join([*problems, *more])


def _problem(details: Mapping[str, Any], body: Any, query: Sequence[str]) -> str:
    part, *inner = details["loc"]
    place, message = problem(body if part == "body" else None, {**details, "loc": inner})
    whole = place if part == "body" else (part, *place)
    if part == "body" and len(place) == 1 and place[0] in query:
        message += "; it is a parameter of the query"
    return f"{path_of(whole) if whole else 'body'}: {message}"


def lack(refused: str) -> ControlError:
    """Return the error for what `refused_by_system` says."""
    return ControlError(503, "The system refused the emulator a resource.", refused)


def _unusable_file(error: WorldFileError) -> ControlError:
    return ControlError(503, "The world cannot be kept in its file.", error.hint)


def _bad_seed(error: SeedError) -> ControlError:
    faults = [{"line": fault.line, "path": fault.path, "message": fault.message} for fault in error.faults]
    return ControlError(400, "The seed document cannot be used.", str(error), faults=faults)


_REFUSALS: Mapping[type[Exception], _RefusalOf] = {
    ApiError: lambda _, error: ControlError(error.problem.status, error.message, error.hint, code=error.code),
    ClockIsAheadError: lambda *_: ControlError(
        400, "A clock does not advance into its past.", "PUT .../clock sets it to any instant."
    ),
    ClockRangeError: lambda _, error: ControlError(400, "No clock goes beyond the year 9999.", f"{error}."),
    ControlError: lambda _, error: error,
    ImageBudgetError: lambda _, error: ControlError(503, "There is no room for one more image.", str(error)),
    RequestValidationError: _invalid_request,
    RuleLimitError: lambda _, error: ControlError(400, "There are too many fault rules.", f"{error}."),
    SeedError: lambda _, error: _bad_seed(error),
    SnapshotError: lambda _, error: ControlError(400, "The snapshot cannot be used.", str(error)),
    StoppedError: lambda *_: stopping(),
    StoreClosedError: lambda _, error: ControlError(409, "The world has ended meanwhile.", f"{error}: ask again."),
    WorldFileError: lambda _, error: _unusable_file(error),
    WorldFullError: lambda _, error: ControlError(503, "The world is full.", error.hint),
    WorldLimitError: lambda _, error: ControlError(503, "There are too many worlds.", str(error)),
    WorldNameError: lambda _, error: ControlError(400, "No world can have this name.", str(error)),
    **dict.fromkeys((sqlite3.DatabaseError, DBAPIError, UnreadableRowError), _failed_statement),
}
"""What is answered to each kind of exception."""
