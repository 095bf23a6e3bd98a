"""Generated scripts that nobody would write, made of all the words and signs that the SQL parser knows."""

from hypothesis import strategies as st

_WORDS = st.sampled_from(
    [
        *("select", "from", "join", "where", "insert", "into", "create", "table", "view", "function", "with", "as"),
        *("lateral", "unnest", "values", "for", "system_time", "of", "period", "watermark", "union", "group", "over"),
        *("type", "=", ",", ".", ";", "(", ")", "(", ")", "'", "`", '"', "a", "b.c", "t", "'x'", "--", "//", "#"),
        *("/*", "*/", "\n", "中", "\\"),
    ]
)

FRAGMENTS = st.lists(_WORDS, max_size=60).map(" ".join)
