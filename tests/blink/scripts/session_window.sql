-- inputs: user_clicks / outputs: session_output / dims:
CREATE TABLE user_clicks (username VARCHAR, ts AS TO_TIMESTAMP(raw, 'yyyy-MM-dd HH:mm:ss'), raw VARCHAR,
  WATERMARK wk FOR ts AS withOffset(ts, 2000)) WITH (type='datahub');
CREATE TABLE session_output (window_start TIMESTAMP, clicks BIGINT) WITH (type='rds');
INSERT INTO session_output
SELECT SESSION_START(ts, INTERVAL '30' SECOND), COUNT(*) FROM user_clicks
GROUP BY SESSION(ts, INTERVAL '30' SECOND), username HAVING COUNT(*) > 1;
