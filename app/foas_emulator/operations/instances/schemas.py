"""The wire models of instances, members in the order of each operation's documented sample."""

from foas_emulator.gateway.formats import Answer, Wire


class InstanceDetails(Wire):
    """What GetInstance tells of an instance. Times and delays are milliseconds."""

    expect_state: str
    engine_version: str | None = None
    project_name: str
    cluster_id: str | None = None
    plan_json: str | None = None
    job_name: str
    start_time: int | None = None
    properties: str | None = None
    starter: str | None = None
    input_delay: int | None = None
    code: str | None = None
    actual_state: str
    engine_job_handler: str | None = None
    last_operator: str | None = None
    job_type: str
    packages: str | None = None
    auto_scale_params: str | None = None
    api_type: str
    id: int | None = None
    last_operate_time: int | None = None
    queue_name: str | None = None
    end_time: int | None = None
    last_error_time: int | None = None
    last_error_message: str | None = None
    priority: int | None = None


class GetInstanceAnswer(Answer):
    """The answer of GetInstance."""

    instance: InstanceDetails
