-- The life of an EMR Serverless application: moto's nearest service, a REST API whose applications are created,
-- updated, started, stopped and deleted. moto creates them started, so the six writes come in this order.
local signed = {
   ["Host"] = "127.0.0.1",
   ["Content-Type"] = "application/json",
   ["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/emr-serverless/aws4_request, " ..
      "SignedHeaders=host, Signature=0",
}

return {
   id = '"applicationId": ?"(%w+)"',
   {"POST", "/applications", signed,
    '{"name": "NAME", "type": "SPARK", "releaseLabel": "emr-6.6.0-latest", "clientToken": "NAME"}'},
   {"POST", "/applications/ID/stop", signed, ""},
   {"PATCH", "/applications/ID", signed,
    '{"clientToken": "NAME", "maximumCapacity": {"cpu": "4vCPU", "memory": "16GB"}}'},
   {"POST", "/applications/ID/start", signed, ""},
   {"POST", "/applications/ID/stop", signed, ""},
   {"DELETE", "/applications/ID", signed, nil},
}
