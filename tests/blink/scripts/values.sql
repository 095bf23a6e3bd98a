-- inputs: / outputs: out_t / dims:
create table out_t (x int, y varchar) with (type='print');
insert into out_t values (1, 'a'), (2, 'it''s'), (3, 'select * from nowhere; (');
insert into out_t select x, y from (values (1, 'b'), (2, 'c')) as t (x, y);
