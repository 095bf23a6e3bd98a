"""Makes the calls it reads, one JSON document a line, with alibabacloud-tea-openapi.

The argument is the algorithm of its signature V3; without one it is the SDK's usual one.
"""

import json
import sys
from typing import Any
from urllib.parse import quote

from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

ALGORITHM = sys.argv[1] if len(sys.argv) > 1 else "ACS3-HMAC-SHA256"


def pathname(call: dict[str, Any]) -> str:
    path: str = call["pattern"]
    for name, value in call["path"].items():
        path = path.replace(f"[{name}]", quote(value, safe=""))
    return path


def make(call: dict[str, Any]) -> Any:
    client = Client(
        Config(
            access_key_id=call["access_key_id"],
            access_key_secret=call["access_key_secret"],
            endpoint=call["endpoint"] or "foas.cn-hangzhou.aliyuncs.com",
            protocol="http" if call["endpoint"] else "https",
            signature_algorithm=ALGORITHM,
        )
    )
    params = Params(
        action=call["operation"],
        version="2018-11-11",
        protocol="HTTP" if call["endpoint"] else "HTTPS",
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
    except AlibabaCloudException as error:
        return {
            "ok": False,
            "type": type(error).__name__,
            "code": error.code,
            "message": error.message,
            "status": error.status_code,
            "request_id": error.request_id,
        }


for line in sys.stdin:
    sys.stdout.write(f"{json.dumps(outcome(json.loads(line)))}\n")
    sys.stdout.flush()
