-- inputs: a / outputs: out_t / dims:
create table a (s varchar, t varchar, ts timestamp) with (type='datahub');
create table out_t (x varchar, y bigint, z boolean) with (type='print');
insert into out_t
select trim(both ' ' from s), extract(year from ts), s is not distinct from t, substring(s from 1 for 2), overlay(s placing t from 3)
from a where s is distinct from t;
