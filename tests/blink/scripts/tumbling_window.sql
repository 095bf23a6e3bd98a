-- inputs: user_clicks / outputs: tumble_output / dims:
CREATE TABLE user_clicks (
  username VARCHAR,
  click_url VARCHAR,
  ts TIMESTAMP,
  WATERMARK wk FOR ts AS withOffset(ts, 2000) -- two seconds late at most
) WITH (TYPE = 'datahub');
CREATE TABLE tumble_output (window_start TIMESTAMP, window_end TIMESTAMP, username VARCHAR, clicks BIGINT)
WITH (TYPE = 'RDS');
INSERT INTO tumble_output
SELECT
  TUMBLE_START(ts, INTERVAL '1' MINUTE),
  TUMBLE_END(ts, INTERVAL '1' MINUTE),
  username,
  COUNT(click_url)
FROM user_clicks
GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), username
