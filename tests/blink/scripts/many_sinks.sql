-- inputs: src / outputs: sink_a, sink_b, sink_c / dims:
CREATE TABLE sink_a (x INT) WITH (type='rds');
CREATE TABLE sink_b (x INT) WITH (type='tsdb');
CREATE TABLE src (x INT, ds VARCHAR) WITH (type='datahub');
CREATE TABLE sink_c (x INT, ds VARCHAR) WITH (type='odps', `partition`='ds=20200101', project='warehouse', tableName='c');
INSERT INTO sink_c SELECT x, ds FROM src;
INSERT INTO sink_b SELECT x FROM src;
INSERT INTO sink_a SELECT x FROM src;
