-- inputs: / outputs: out_t / dims:
CREATE CATALOG hive1 WITH (type='hive');
USE CATALOG hive1;
USE db1;
CREATE TABLE out_t (x INT) WITH (type='print');
INSERT INTO out_t SELECT x FROM known_to_the_catalog;
