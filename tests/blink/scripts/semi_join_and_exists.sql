-- inputs: a, b / outputs: out_t / dims:
create table a (x int) with (type='datahub');
create table b (x int) with (type='datahub');
create table out_t (x int) with (type='print');
insert into out_t select x from a where x in (select x from b) and not exists (select 1 from b as bb where bb.x = a.x);
