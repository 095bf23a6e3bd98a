-- inputs: a, b, c / outputs: out_t / dims:
create table a (x int) with (type='datahub');
create table b (x int) with (type='datahub');
create table c (x int) with (type='datahub');
create table out_t (x int) with (type='print');
insert into out_t select a.x from (a left join b on a.x = b.x) full outer join c using (x), (a) d order by x limit 10;
