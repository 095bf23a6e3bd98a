-- inputs: a, b, c / outputs: out_t / dims:
create table a (x int) with (type='datahub');
create table b (x int) with (type='datahub');
create table c (x int) with (type='datahub');
create table out_t (x int) with (type='print');
insert into out_t select a.x from a, b as bb, (select x from c where x in (1, 2)) cc where a.x = bb.x and bb.x = cc.x;
