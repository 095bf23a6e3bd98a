-- inputs: source_t / outputs: result_t / dims:
CREATE TABLE source_t (id INT, rowtime TIMESTAMP, WATERMARK w FOR rowtime AS withOffset(rowtime, 0)) WITH (type='datahub');
CREATE TABLE result_t (id INT, cnt BIGINT) WITH (type='rds');
CREATE VIEW tumble_window AS
SELECT id, TUMBLE_START(rowtime, INTERVAL '1' HOUR) as start_time, COUNT(*) as cnt
FROM source_t GROUP BY id, TUMBLE(rowtime, INTERVAL '1' HOUR);
INSERT INTO result_t
SELECT id, cnt FROM tumble_window
EMIT WITH DELAY '1'MINUTE BEFORE WATERMARK,
  WITHOUT DELAY AFTER WATERMARK

blink.state.ttl.ms = 86400000    --one day of state
