-- inputs: user_clicks / outputs: hop_output / dims:
CREATE TABLE user_clicks (username VARCHAR, ts TIMESTAMP, WATERMARK FOR ts AS WITHOFFSET (ts, 2000)) WITH (type='sls');
CREATE TABLE hop_output (window_start TIMESTAMP, username VARCHAR, clicks BIGINT) WITH (type='rds');
INSERT INTO hop_output
SELECT HOP_START (ts, INTERVAL '30' SECOND, INTERVAL '1' MINUTE), username, COUNT (username)
FROM user_clicks
GROUP BY HOP (ts, INTERVAL '30' SECOND, INTERVAL '1' MINUTE), username;
