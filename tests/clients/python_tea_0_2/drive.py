"""Makes the calls it reads, one JSON document a line, with alibabacloud-tea-openapi 0.2.5 (signature V3)."""

import json
import sys
from typing import Any

from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from alibabacloud_tea_util.models import RuntimeOptions
from Tea.exceptions import TeaException


def pathname(call: dict[str, Any]) -> str:
    """Leave the names as they are: this generation encodes the path itself, and would encode it twice."""
    path: str = call["pattern"]
    for name, value in call["path"].items():
        path = path.replace(f"[{name}]", value)
    return path


def make(call: dict[str, Any]) -> Any:
    client = Client(
        Config(
            access_key_id=call["access_key_id"],
            access_key_secret=call["access_key_secret"],
            endpoint=call["endpoint"],
            protocol="http",
        )
    )
    params = Params(
        action=call["operation"],
        version="2018-11-11",
        protocol="HTTP",
        pathname=pathname(call),
        method=call["method"],
        auth_type="AK",
        style="ROA",
        req_body_type="formData",
        body_type="json" if call["format"] == "JSON" else "string",
    )
    request = OpenApiRequest(
        query=call["query"],
        body=call["form"] or None,
        headers={} if call["format"] == "JSON" else {"accept": "application/xml"},
    )
    return client.call_api(params, request, RuntimeOptions())["body"]


def outcome(call: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"ok": True, "result": make(call)}
    except RuntimeError as error:
        return {"ok": False, "type": type(error).__name__, "message": str(error)}
    except TeaException as error:
        data = error.data or {}
        return {
            "ok": False,
            "type": type(error).__name__,
            "code": error.code,
            "message": error.message,
            "request_id": data.get("RequestId"),
        }


for line in sys.stdin:
    sys.stdout.write(f"{json.dumps(outcome(json.loads(line)))}\n")
    sys.stdout.flush()
