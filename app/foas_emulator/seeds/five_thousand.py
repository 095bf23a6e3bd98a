"""The built-in seed `five-thousand`, which is too long for a file and is generated on use."""

import json
from typing import Any

_JOBS = 5000
_FOLDERS = 20
_MESSAGE = "org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy"
_KINDS: tuple[dict[str, Any], ...] = (
    *[{"instances": [{"ActualState": "RUNNING"}]}] * 4,
    {"instances": [{"ActualState": "PAUSED"}]},
    {"instances": [{"ActualState": "TERMINATED"}]},
    {"instances": [{"ActualState": "FAILED", "LastErrorMessage": _MESSAGE}]},
    {"instances": [{"ActualState": "WAITING"}]},
    {"JobType": "FLINK_BATCH", "instances": [{"ActualState": "SUCCESS"}]},
    {},
    {"IsCommitted": False},
)
"""What jobs have beside their names: an instance, none yet, or no committed version. Their number and that of the
folders have no common divisor, so each folder has jobs of every kind."""
_FIRST_FOLDER = 2
"""The id of the first folder; 1 is the root."""


def text() -> str:
    """Return the document as JSON: one project with jobs of every state, in folders."""
    folders = [{"Path": f"/team-{number:02}", "FolderId": _FIRST_FOLDER + number} for number in range(_FOLDERS)]
    jobs = [
        {
            "JobName": f"job-{number:04}",
            "Code": "",
            "FolderId": _FIRST_FOLDER + number % _FOLDERS,
            **_KINDS[number % len(_KINDS)],
        }
        for number in range(_JOBS)
    ]
    return json.dumps({"projects": [{"Name": "large", "folders": folders, "jobs": jobs}]})
