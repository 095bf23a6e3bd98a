-- inputs: lines / outputs: words / dims:
CREATE TABLE lines (id BIGINT, line VARCHAR, tags ARRAY<VARCHAR>) WITH (type='datahub');
CREATE TABLE words (id BIGINT, word VARCHAR) WITH (type='print');
INSERT INTO words SELECT id, word FROM lines, LATERAL TABLE(STRING_SPLIT(line, ',')) AS T(word);
INSERT INTO words SELECT id, tag FROM lines CROSS JOIN UNNEST(lines.tags) AS T(tag);
INSERT INTO words SELECT n, 'x' FROM TABLE(GENERATE_SERIES(1, 10)) AS S(n);
