-- inputs: source_table / outputs: result_table / dims:
CREATE TABLE source_table (ip VARCHAR, `TIME` VARCHAR) WITH (type = 'datahub');
CREATE TABLE result_table (rownum BIGINT, start_time VARCHAR, ip VARCHAR, cc BIGINT, PRIMARY KEY (start_time, ip)) WITH (type = 'rds');
INSERT INTO result_table
SELECT rownum, start_time, ip, cc
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY start_time ORDER BY cc DESC) AS rownum
  FROM (
    SELECT SUBSTRING(`TIME`, 1, 2) AS start_time, COUNT(ip) AS cc, ip
    FROM  source_table
    GROUP BY SUBSTRING(`TIME`, 1, 2), ip
  ) a
)
WHERE rownum <= 3 --the top three
