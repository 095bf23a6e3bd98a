-- inputs: item_visits / outputs: sums / dims:
CREATE TABLE item_visits (a INT, b BIGINT, rowtime TIMESTAMP, WATERMARK w FOR rowtime AS withOffset(rowtime, 0)) WITH (type='datahub');
CREATE TABLE sums (a INT, total BIGINT, average DOUBLE) WITH (type='rds');
INSERT INTO sums
SELECT a,
  SUM(b) OVER (PARTITION BY a ORDER BY rowtime RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW),
  AVG(b) OVER w
FROM item_visits
WINDOW w AS (PARTITION BY a ORDER BY rowtime ROWS BETWEEN 2 PRECEDING AND CURRENT ROW);
