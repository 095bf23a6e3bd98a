-- inputs: a / outputs: out_t / dims:
create table a (m varchar, u varchar) with (type='datahub');
create table out_t (m varchar, c bigint) with (type='print');
insert into out_t select m, count(distinct u) filter (where u <> '') from a group by grouping sets ((m), (u), (m, u), ());
