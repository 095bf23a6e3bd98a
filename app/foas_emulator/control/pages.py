"""The two OpenAPI documents, and a Swagger page for each that loads nothing from other servers."""

from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.routing import Mount

from foas_emulator.gateway.operation import Operation
from foas_emulator.openapi.document import Schema, served
from foas_emulator.openapi.service import describe_service
from foas_emulator.world.threads import in_thread

_STATIC = "/static-offline-docs"


def add_pages(app: FastAPI, operations: Sequence[Operation]) -> None:
    """Add the documents of the service and of the application's own API, and the pages that show them."""
    app.router.routes += [route for route in FastAPIOffline().routes if isinstance(route, Mount)]
    service = cache(lambda: describe_service(operations))
    _add(app, "/openapi.json", "/docs", service, "The emulator's own API: [control API](/docs/control).")
    _add(app, "/_emulator/openapi.json", "/docs/control", app.openapi, "What is emulated: [the service](/docs).")


def _add(app: FastAPI, document_path: str, page_path: str, describe: Callable[[], Schema], other: str) -> None:
    describing = Lock()  # two requests at a time run in two threads, which pydantic does not support here

    def described() -> Schema:
        with describing:
            return describe()

    def document(base_url: str) -> JSONResponse:
        return JSONResponse(served(described(), base_url=base_url, other=other))

    def page() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=document_path,
            title=described()["info"]["title"],
            swagger_js_url=f"{_STATIC}/swagger-ui-bundle.js",
            swagger_css_url=f"{_STATIC}/swagger-ui.css",
            swagger_favicon_url=f"{_STATIC}/favicon.png",
        )

    # Not in threads of FastAPI's: forty that write a document at a time would keep the event loop from the processor.
    @app.get(document_path, include_in_schema=False)
    async def get_document(request: Request) -> JSONResponse:
        return await in_thread(document, str(request.base_url))

    @app.get(f"{page_path}/", include_in_schema=False)  # as people may type it
    @app.get(page_path, include_in_schema=False)
    async def get_page() -> HTMLResponse:
        return await in_thread(page)
