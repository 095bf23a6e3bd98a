-- inputs: / outputs: out_t / dims:
CREATE TABLE out_t (x INT) WITH (type='print');
INSERT INTO out_t SELECT a.x FROM my_catalog.db1.a AS a JOIN `db1`.`b` FOR SYSTEM_TIME AS OF PROCTIME() b ON a.x = b.x;
INSERT INTO my_catalog.db1.target SELECT x FROM my_catalog.db1.a;
