-- inputs: src / outputs: out_t / dims:
CREATE TABLE src (x INT) WITH (
  type='datahub',
  accessId='<yourAccessId>'
  accessKey='<yourAccessKey>'
  `a.b` = -1,
  c.d.e = ${value},
  ...,
  debug = true
);
CREATE TABLE out_t (x INT) WITH (type='print',);
INSERT INTO out_t SELECT x FROM src;
