"""Blink's error messages for code that it cannot read."""


class UnreadablePlanError(ValueError):
    """A planJson is not a plan; the message is a clause that says why, such as `its nodes are not a list`."""


_LONGEST = 1000
"""The most characters of the message of an error: a name in it may have megabytes."""


class SqlError(Exception):
    """The first definite error in a script; line and column count from 1."""

    def __init__(self, message: str, *, line: int, column: int) -> None:
        message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}..."
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def error_text(error: SqlError) -> str:
    """Return the text that syntax check, plan making and commit show for an error.

    Code 30017, the brief and the framed report are documented (the console's list of syntax check errors). That the
    report gives the position in the words of Flink's own validator, and that every error has the one documented ERR_ID,
    is inferred.
    """
    return _report(
        "SQL-00120001", f"SQL validation failed:\n     At line {error.line}, column {error.column}: {error.message}"
    )


def submit_error_text(error: SqlError, *, job_name: str) -> str:
    """Return the LastErrorMessage of an instance whose SQL the engine does not accept.

    The frame is documented for a queue that is too small (errcode 30011), and the text for wrong SQL (30017); that they
    occur together is inferred.
    """
    return f"Submit blink job failed, name: {job_name}, errcode:30017, errmsg:{error_text(error)}"


def plan_error_text(error: UnreadablePlanError) -> str:
    """Return the text that plan making shows for a planJson that cannot be read.

    The frame is that of `error_text`, and the ERR_ID is that of a start with a plan that does not fit its job (both
    documented); the rest is inferred.
    """
    return _report("CLI-00000001", f"the job's planJson cannot be read:\n     {error}")


def _report(error_id: str, cause: str) -> str:
    return (
        "code:[30017], brief info:[get app plan failed], context info:[detail:\n"
        ">>>>>\n"
        "org.apache.flink.table.api.ValidationException: \n"
        "************\n"
        "ERR_ID:\n"
        f"     {error_id}\n"
        "CAUSE:\n"
        f"     {cause}\n"
        "ACTION:\n"
        "     Please see descriptions above. If it doesn't help, please contact customer support for this.\n"
        "DETAIL:\n"
        "\n"
        "************\n"
        "<<<<<]"
    )
