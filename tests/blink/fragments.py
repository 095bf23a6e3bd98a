"""Scripts that nobody would write, made of all that means something to the reader of SQL."""

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
