"""Compare files that were chosen or dropped on the page; without any, the URL of the page names both sides."""

from http import HTTPStatus
from urllib.parse import urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foas_emulator.console.access import BASE, LONGEST_FIELD, base_url_of
from foas_emulator.console.comparison import Side, compared
from foas_emulator.console.shown import shown_foreign_form, shown_page
from foas_emulator.console.site import Site, View
from foas_emulator.world.world import World


async def compare_files(site: Site, world: World, request: Request) -> Response:
    """Compare the two sides of a form; a file takes precedence over the world chosen beside it."""
    async with request.form(max_files=2, max_fields=10, max_part_size=LONGEST_FIELD) as form:
        if not site.access.allows_form(request, str(form.get("token", ""))):
            return await shown_foreign_form(request)
        left, right = [await _side(form, name) for name in ("left", "right")]
    if left.content is None and right.content is None:
        query = urlencode({"left": left.name, "right": right.name})
        return RedirectResponse(f"{BASE}/w/{world.name}/compare?{query}", HTTPStatus.SEE_OTHER)
    view = View(site=site, world=world, query={}, base_url=base_url_of(request))
    context = {"page": "compare", **await compared(view, left, right)}
    return await shown_page(site, world, request, "compare.html", context)


async def _side(form: FormData, name: str) -> Side:
    file = form.get(f"{name}_file")
    if isinstance(file, UploadFile) and file.filename:
        return Side(file.filename, await file.read())
    return Side(str(form.get(name, "")))
