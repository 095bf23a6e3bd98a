-- inputs: datahub_stream / outputs: rds_out / dims:
CREATE TABLE datahub_stream (
  `timestamp` TIMESTAMP, card_id VARCHAR, location VARCHAR, `action` VARCHAR,
  WATERMARK wf FOR `timestamp` AS withOffset(`timestamp`, 1000)
) WITH (type = 'datahub');
CREATE TABLE rds_out (start_timestamp TIMESTAMP, end_timestamp TIMESTAMP, card_id VARCHAR, event VARCHAR) WITH (type= 'rds');
--the same card swiped at two places within ten minutes (it's suspicious)
insert into rds_out
select `start_timestamp`, `end_timestamp`, card_id, `event`
from datahub_stream
MATCH_RECOGNIZE (
  PARTITION BY card_id
  ORDER BY `timestamp`
  MEASURES e2.`action` as `event`, e1.`timestamp` as `start_timestamp`, LAST(e2.`timestamp`) as `end_timestamp`
  ONE ROW PER MATCH WITH TIMEOUT ROWS
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (e1 -> e2+ e3{2,}?) WITHIN INTERVAL '10' MINUTE
  DEFINE e1 as e1.action = 'Tom', e2 as e2.action = 'Tom' and e2.location <> PREV(e1.location)
) AS MR;
