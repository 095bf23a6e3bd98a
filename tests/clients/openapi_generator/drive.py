"""Calls the emulator with a client that openapi-generator made of the document; writes what it got as JSON."""

import json
import sys

from foas_generated import (
    ApiClient,
    ApiException,
    CommitJobRequest,
    Configuration,
    CreateJobRequest,
    InstancesApi,
    JobsApi,
)

WORLD = "openapi-generator-python"
JOB = "made-by-python"


def main() -> None:
    client = ApiClient(Configuration(host=sys.argv[1]))
    instances, jobs = InstancesApi(client), JobsApi(client)
    running = instances.get_instance("project1", "job1", 412536, x_emulator_world=WORLD).instance
    refused = ""
    try:
        instances.get_instance("demo", "paused-stream", 500003, x_emulator_world=WORLD)
    except ApiException as refusal:
        refused = refusal.data.code
    job = CreateJobRequest(job_name=JOB, job_type="FLINK_STREAM", api_type="SQL", code="INSERT INTO a SELECT * FROM b;")
    created = jobs.create_job_with_http_info("demo", job, x_emulator_world=WORLD)
    online = CommitJobRequest(is_on_off=False)
    committed = jobs.commit_job_with_http_info("demo", JOB, x_emulator_world=WORLD, commit_job_request=online)
    started = jobs.start_job("demo", JOB, x_emulator_world=WORLD)
    got = {
        "state": running.actual_state,
        "startTime": running.start_time,
        "code": refused,
        "created": created.status_code,
        "committed": committed.status_code,
        "id": started.instance_id,
    }
    sys.stdout.write(json.dumps(got))


main()
