-- One write to an EMR Serverless application, then the read of it. The first two calls make it and are not repeated.
local signed = {
   ["Host"] = "127.0.0.1",
   ["Content-Type"] = "application/json",
   ["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/emr-serverless/aws4_request, " ..
      "SignedHeaders=host, Signature=0",
}

return {
   id = '"applicationId": ?"(%w+)"',
   again = 3,
   {"POST", "/applications", signed,
    '{"name": "NAME", "type": "SPARK", "releaseLabel": "emr-6.6.0-latest", "clientToken": "NAME"}'},
   {"POST", "/applications/ID/stop", signed, ""},
   {"PATCH", "/applications/ID", signed,
    '{"clientToken": "NAME", "maximumCapacity": {"cpu": "4vCPU", "memory": "16GB"}}'},
   {"GET", "/applications/ID", signed, nil},
}
