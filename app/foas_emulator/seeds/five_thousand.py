"""The built-in seed `five-thousand`: too long to be written down, so it is made when it is named."""

import json

_JOBS = 5000
_FOLDERS = 20
_STATES = ("RUNNING", "RUNNING", "RUNNING", "PAUSED", "TERMINATED", "FAILED", "WAITING", None)
_FIRST_FOLDER = 2
"""The id of the first folder; 1 is the root."""


def text() -> str:
    """The document, as JSON: one project with jobs of every state, in folders."""
    folders = [{"Path": f"/team-{number:02}", "FolderId": _FIRST_FOLDER + number} for number in range(_FOLDERS)]
    jobs = [
        {
            "JobName": f"job-{number:04}",
            "Code": "",
            "FolderId": _FIRST_FOLDER + number % _FOLDERS,
            **({} if (state := _STATES[number % len(_STATES)]) is None else {"instances": [{"ActualState": state}]}),
        }
        for number in range(_JOBS)
    ]
    return json.dumps({"projects": [{"Name": "large", "folders": folders, "jobs": jobs}]})
