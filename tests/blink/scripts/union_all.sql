-- inputs: a, b / outputs: out_t / dims:
create table a (x int) with (type='datahub');
create table b (x int) with (type='datahub');
create table out_t (x int) with (type='print');
insert into out_t
(select x from a where x > 0)
union all
(select x from b)
union all
select x from a;
