"""What Blink says about code that it cannot read."""


class SqlError(Exception):
    """The first thing in a script that is surely wrong; line and column count from 1."""

    def __init__(self, message: str, *, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def error_text(error: SqlError) -> str:
    """The text that syntax check, plan making and commit show for the error.

    Code 30017, the brief and the framed report are documented (the console's list of syntax check errors). That the
    report names the position in the words of Flink's own validator, and that every error carries the one documented
    ERR_ID, is inferred.
    """
    return (
        "code:[30017], brief info:[get app plan failed], context info:[detail:\n"
        ">>>>>\n"
        "org.apache.flink.table.api.ValidationException: \n"
        "************\n"
        "ERR_ID:\n"
        "     SQL-00120001\n"
        "CAUSE:\n"
        "     SQL validation failed:\n"
        f"     At line {error.line}, column {error.column}: {error.message}\n"
        "ACTION:\n"
        "     Please see descriptions above. If it doesn't help, please contact customer support for this.\n"
        "DETAIL:\n"
        "\n"
        "************\n"
        "<<<<<]"
    )
