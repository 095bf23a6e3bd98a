-- inputs: src / outputs: / dims:
CREATE TABLE src (x INT) WITH (type='odps');
WITH q AS (SELECT x FROM src) SELECT x FROM q;
SELECT COUNT(*) FROM src;
