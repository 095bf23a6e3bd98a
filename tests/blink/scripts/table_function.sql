-- inputs: sls_stream / outputs: rds_output / dims:
create function splitUdtf as 'com.example.SplitUdtf';
create table sls_stream (a INT, b BIGINT, c VARCHAR) with (type='sls', logStore='clicks');
create view v1 as
select a, b, c, s
from sls_stream,
lateral table(splitUdtf(c)) as T(s);
create table rds_output (id INT, len BIGINT, content VARCHAR) with (type='rds');
insert into rds_output select a, b, s from v1;
