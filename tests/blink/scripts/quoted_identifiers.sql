-- inputs: my`table, select / outputs: from / dims:
CREATE TABLE `my``table` (`group by` INT) WITH (type='datahub');
CREATE TABLE `select` (x INT) WITH (type='datahub');
CREATE TABLE "from" (x INT) WITH ('type'='print');
INSERT INTO "from" SELECT t.`group by` AS `order` FROM `my``table` AS t JOIN `select` ON `select`.x = t.`group by`;
