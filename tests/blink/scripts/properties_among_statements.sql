-- inputs: src / outputs: out_t / dims:
blink.job.timeZone=Asia/Shanghai
blink.job.option=-yD env.java.opts='-verbose:gc -XX:NewRatio=3'
CREATE TABLE src (x INT) WITH (type='datahub');
CREATE TABLE out_t (x INT) WITH (type='print');
SET 'a.b' = 'c';
INSERT INTO out_t SELECT x FROM src;
