-- inputs: orders, payments / outputs: paid / dims:
CREATE TABLE orders (id BIGINT, ts TIMESTAMP, WATERMARK w FOR ts AS withOffset(ts, 1000)) WITH (type='datahub');
CREATE TABLE payments (id BIGINT, ts TIMESTAMP, WATERMARK w FOR ts AS withOffset(ts, 1000)) WITH (type='datahub');
CREATE TABLE paid (id BIGINT) WITH (type='rds');
INSERT INTO paid
SELECT o.id FROM orders AS o JOIN payments AS p
ON o.id = p.id AND p.ts BETWEEN o.ts - INTERVAL '1' HOUR AND o.ts + INTERVAL '1' HOUR;
