-- inputs: src / outputs: out_t / dims:
CREATE TABLE src (x INT) WITH (type='odps');
CREATE TABLE out_t (x INT, ds VARCHAR) WITH (type='odps');
INSERT OVERWRITE TABLE out_t PARTITION (ds = '20200101') SELECT x FROM src EXCEPT SELECT x FROM src WHERE x IN (1, 2);
