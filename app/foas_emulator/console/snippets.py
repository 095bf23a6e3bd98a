"""Snippets on pages that users can run: with curl, in Python and Java, as a test, as a fault rule.

Each is complete and works as it is pasted: a command, a program, a test.
"""

import json
import re
from collections.abc import Mapping
from itertools import repeat
from typing import Any
from urllib.parse import quote

from foas_emulator.console.calls import as_it_is, service_call
from foas_emulator.console.operations import job_path
from foas_emulator.console.shell import shell_line
from foas_emulator.world.names import DEFAULT

_LEFT_OUT = frozenset(
    {
        "host",
        "authorization",
        "content-length",
        "connection",
        "user-agent",
        "accept-encoding",
        "date",
        "x-emulator-world",
        "x-acs-date",
        "x-acs-content-sha256",
        "x-acs-signature-nonce",
        "x-acs-signature-method",
        "x-acs-signature-version",
        "content-md5",
    }
)
"""Headers that belong to a single request, or that the client adds by itself."""

_OF_ADDRESSES = "/?&=%+:,;@!$'()*~-._"
"""Characters that are kept in a URL; others that a program sent raw are percent-encoded."""
_CUT = re.compile(r"\.\.\. of [0-9]+ characters\Z")
"""The end of a text that the journal does not show whole."""


def access_key(world: str) -> str:
    """Return the access key that selects a world; its secret is `test`."""
    return "test" if world == DEFAULT else f"world-{world}"


# -- a call of the journal


def once_more(
    call: Mapping[str, Any], body: bytes, base_url: str, world: str, *, is_strict: bool = False
) -> dict[str, str]:
    """Return snippets that repeat a call, by tool; `body` is the kept part of its body. Cut calls are not repeated.

    A strict world refuses what curl sends; our own command, which signs, repeats a GET.
    """
    texts = {}
    if _is_whole(call, body) and not is_strict:
        texts = {"curl": curl(call, base_url, world), "Python": python(call, base_url, world)}
    elif _is_whole(call, body) and call["method"] == "GET" and not body:
        texts = shell(base_url, _target(call), world, is_strict=True)
    texts |= {"pytest": pytest(call)} if call["operation"] else {}
    return {tool: text for tool, text in texts.items() if text}


def _is_whole(call: Mapping[str, Any], body: bytes) -> bool:
    request = call["request"]
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    if body and call["method"] == "HEAD":  # curl sends none with a body
        return False
    return call["method"].isalpha() and request["path"].startswith("/") and not request["is_cut"]


def _target(call: Mapping[str, Any]) -> str:
    request = call["request"]
    return quote(str(request["path"]) + (f"?{request['query']}" if request["query"] else ""), safe=_OF_ADDRESSES)


def _headers(call: Mapping[str, Any], world: str) -> dict[str, str]:
    kept = {name: value for name, value in call["request"]["headers"].items() if name not in _LEFT_OUT}
    if call["request"]["body"]:
        kept.setdefault("content-type", "")  # or else curl and Python say that it is a form
    return {"x-emulator-world": world, **{name: value for name, value in kept.items() if value != "*/*"}}


def curl(call: Mapping[str, Any], base_url: str, world: str) -> str:
    """Return the call as one line for a shell, "" if none can be pasted."""
    method = {"GET": [], "HEAD": ["-I"]}.get(call["method"], ["-X", call["method"]])
    if call["method"] == "GET" and call["request"]["body"]:
        method = ["-X", "GET"]  # with data, curl makes a POST otherwise
    target = _target(call)
    words = ["curl", "-i", *as_it_is(target), *method, base_url + target]
    for name, value in _headers(call, world).items():
        words += ["-H", f"{name}: {value}" if value else f"{name};"]  # curl leaves out a header that ends in a colon
    if call["request"]["body"]:
        words += ["--data-raw", call["request"]["body"]]
    return shell_line(words)


def python(call: Mapping[str, Any], base_url: str, world: str) -> str:
    """Return a program that uses only the standard library; it prints answers of 400 and above like any other."""
    body = call["request"]["body"]
    lines = [
        "from urllib.error import HTTPError",
        "from urllib.request import Request, urlopen",
        "",
        "request = Request(",
    ]
    lines += [f"    {base_url + _target(call)!r},", f"    method={call['method']!r},"]
    lines += [f"    headers={_headers(call, world)!r},"]
    lines += [f"    data={body!r}.encode(),"] if body else []
    lines += [")", "try:", "    answer = urlopen(request)", "except HTTPError as refused:", "    answer = refused"]
    return "\n".join([*lines, "print(answer.status, answer.read().decode())"])


def pytest(call: Mapping[str, Any]) -> str:
    """Return a test for the pytest plugin: that a program makes this call and gets this status, of the same faults."""
    values = {name: value for name, value in _whole(call).items() if isinstance(value, str | int | bool)}
    lines = [
        f"def test_{_snake(call['operation'])}_is_called(foas_world):",
        *map(_armed, call["faults"], repeat(call["operation"])),
        "    ...  # run your program here, in the world foas_world: without it, the test fails",
        "    foas_world.journal.assert_called(",
        f"        {call['operation']!r},",
        *([f"        params={values!r},"] if values else []),
        *([] if call["status"] is None else [f"        status={call['status']},"]),
        "    )",
    ]
    return "\n".join(lines)


def _armed(fault: Mapping[str, Any], operation: str) -> str:
    """Return the line that arms the rule of a fault for one call; a limit refuses the first one then."""
    effect = {"error": "Throttling.User"} if "rate_limit" in fault["effect"] else fault["effect"]
    after = ", after_commit=True" if fault["at"] == "after_commit" else ""
    return f"    foas_world.faults.arm({effect!r}, operation={operation!r}{after}, times=1)"


def _whole(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that the journal shows whole; no call would match a part of one."""
    return {name: value for name, value in call["parameters"].items() if not _CUT.search(str(value))}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def fault(call: Mapping[str, Any]) -> str:
    """Return a fault rule, as JSON, that repeats the error of this call for the next such call; "" after a success."""
    if call["operation"] is None or call["code"] is None:
        return ""
    names = [name for name in ("projectName", "jobName") if isinstance(_whole(call).get(name), str)]
    effect = {"status": max(call["status"] or 500, 400), "code": call["code"]}
    match = {"operation": call["operation"], "params": {name: call["parameters"][name] for name in names}}
    return json.dumps({"match": match, "effect": effect, "times": 1}, ensure_ascii=False)


# -- programs that read a job or an instance


def reading(
    base_url: str, world: str, project: str, job: str, instance: int | None = None, *, is_strict: bool = False
) -> dict[str, str]:
    """Return GetJob, or GetInstance if an instance is given, for a shell and the SDKs for Python and Java."""
    path = {"projectName": project, "jobName": job} | ({} if instance is None else {"instanceId": str(instance)})
    target = job_path(project, job) + ("" if instance is None else f"/instances/{instance}")
    operation = "GetJob" if instance is None else "GetInstance"
    return {
        **shell(base_url, target, world, is_strict=is_strict),
        "Python": _python_sdk(operation, path, base_url, world),
        "Java": _java_sdk(path, base_url, world),
    }


def shell(base_url: str, target: str, world: str, *, is_strict: bool) -> dict[str, str]:
    """Return a GET for a shell: with curl, which does not sign, or for a strict world with our own command."""
    if not is_strict:
        return {"curl": service_call("GET", target, world=world).curl(base_url)}
    return {
        "foas-emulator get": shell_line(
            ["foas-emulator", "get", "--access-key-id", access_key(world), base_url + target]
        )
    }


def _python_sdk(operation: str, path: Mapping[str, str], base_url: str, world: str) -> str:
    lines = [
        "import json",
        "",
        "from aliyunsdkcore.client import AcsClient",
        f"from aliyunsdkfoas.request.v20181111.{operation}Request import {operation}Request",
        "",
        f'client = AcsClient("{access_key(world)}", "test", "cn-hangzhou")',
        f'client.add_endpoint("cn-hangzhou", "foas", "{base_url}")',
        "",
        f"request = {operation}Request()",
        *(f"request.set_{name}({_encoded(value)})" for name, value in path.items()),
        "answer = json.loads(client.do_action_with_exception(request))",
        "print(json.dumps(answer, indent=2, ensure_ascii=False))",
    ]
    return "\n".join(lines)


def _java_sdk(path: Mapping[str, str], base_url: str, world: str) -> str:
    scheme, _, address = base_url.partition("://")
    segments = zip(("projects", "jobs", "instances"), path, strict=False)
    pattern = "/api/v2" + "".join(f"/{kind}/[{name}]" for kind, name in segments)
    put = "\n".join(f'        request.putPathParameter("{name}", {_encoded(value)});' for name, value in path.items())
    return f"""\
import com.aliyuncs.CommonRequest;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.http.MethodType;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;

public class Example {{
    public static void main(String[] arguments) throws Exception {{
        DefaultAcsClient client =
                new DefaultAcsClient(DefaultProfile.getProfile("cn-hangzhou", "{access_key(world)}", "test"));
        CommonRequest request = new CommonRequest();
        request.setSysProtocol(ProtocolType.{scheme.upper()});
        request.setSysDomain("{address}");
        request.setSysMethod(MethodType.GET);
        request.setSysVersion("2018-11-11");
        request.setSysUriPattern("{pattern}");
{put}
        System.out.println(client.getCommonResponse(request).getData());
    }}
}}"""


def _encoded(value: str) -> str:
    """Return a name as a percent-encoded literal, because neither SDK encodes the parameters of a path."""
    return f'"{quote(value, safe="")}"'
