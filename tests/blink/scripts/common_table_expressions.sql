-- inputs: clicks / outputs: out_t / dims:
CREATE TABLE clicks (x INT, y VARCHAR) WITH (type='datahub');
CREATE TABLE out_t (x INT) WITH (type='print');
INSERT INTO out_t
WITH positive AS (SELECT x FROM clicks WHERE x > 0), big (x) AS (SELECT x FROM positive WHERE x > 100)
SELECT x FROM big UNION ALL SELECT x FROM (WITH inner_q AS (SELECT x FROM clicks) SELECT x FROM inner_q) q;
