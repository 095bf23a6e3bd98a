"""Makes the calls it reads, one JSON document a line, with aliyun-python-sdk-core and aliyun-python-sdk-foas."""

import json
import sys
from importlib import import_module
from typing import Any

from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
from aliyunsdkcore.client import AcsClient


def make(call: dict[str, Any]) -> str:
    operation = call["operation"]
    request = getattr(import_module(f"aliyunsdkfoas.request.v20181111.{operation}Request"), f"{operation}Request")()
    for name, value in {**call["path"], **call["query"], **call["form"]}.items():
        getattr(request, f"set_{name}")(value)
    if call["endpoint"]:
        request.set_endpoint(f"http://{call['endpoint']}")
    client = AcsClient(call["access_key_id"], call["access_key_secret"], "cn-hangzhou")
    if call["format"] == "JSON":
        body = client.do_action_with_exception(request)
    else:
        # do_action_with_exception would ask for JSON whatever the request says.
        request.set_accept_format(call["format"])
        body = client.do_action(request)
    return str(body, "utf-8")


def outcome(call: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"ok": True, "result": make(call)}
    except ServerException as error:
        return {
            "ok": False,
            "type": type(error).__name__,
            "code": error.get_error_code(),
            "message": error.get_error_msg(),
            "status": error.get_http_status(),
            "request_id": error.get_request_id(),
        }
    except ClientException as error:
        return {"ok": False, "type": type(error).__name__, "code": error.error_code, "message": error.message}


for line in sys.stdin:
    sys.stdout.write(f"{json.dumps(outcome(json.loads(line)))}\n")
    sys.stdout.flush()
