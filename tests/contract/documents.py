"""The two OpenAPI documents, made once for all tests that only read them: to make them takes seconds."""

from foas_emulator.main import describe_api, describe_control_api

SERVICE = describe_api()
CONTROL = describe_control_api()
