-- inputs: orders / outputs: enriched / dims: customers, shops
CREATE TABLE orders (id BIGINT, customer VARCHAR, shop BIGINT, proc AS PROCTIME()) WITH (type = 'kafka011');
CREATE TABLE customers (customer VARCHAR, phone BIGINT, UNIQUE INDEX (customer)) WITH (type = 'hbase');
CREATE TABLE shops (shop BIGINT, city VARCHAR, INDEX (shop), PERIOD FOR SYSTEM_TIME) WITH (type = 'odps');
CREATE TABLE enriched (id BIGINT, phone BIGINT, city VARCHAR) WITH (type = 'print');
INSERT INTO enriched
SELECT o.id, c.phone, s.city
FROM orders o
LEFT JOIN customers AS c FOR SYSTEM_TIME AS OF o.proc ON o.customer = c.customer
LEFT JOIN shops s FOR SYSTEM_TIME AS OF PROCTIME() ON o.shop = s.shop AND s.city IN ('a', 'b')
WHERE c.phone IS NOT NULL;
