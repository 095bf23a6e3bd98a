-- inputs: orders / outputs: rds_output / dims:
CREATE TABLE orders (rowtime TIMESTAMP, productId INT, units INT) WITH (type='datahub');
CREATE TABLE rds_output (r TIMESTAMP, t INT) WITH (type='rds');
CREATE VIEW LargeOrders (r, t, u) AS SELECT rowtime, productId, units FROM orders;
CREATE OR REPLACE VIEW `HugeOrders` AS (SELECT r, t FROM largeorders WHERE u > 1000);
INSERT INTO rds_output (r, t) SELECT r, t FROM hugeorders;
