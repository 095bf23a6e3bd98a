-- inputs: src / outputs: out_t / dims:
CREATE TABLE src (x INT) WITH (type='datahub')
CREATE TABLE out_t (x INT) WITH (type='print')

INSERT INTO out_t SELECT x FROM src
