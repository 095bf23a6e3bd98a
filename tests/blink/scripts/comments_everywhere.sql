-- inputs: src / outputs: out_t / dims:
-- it's a comment with 'quotes" and (parentheses
/* insert into nothing select * from
   nowhere; it's ( */
# blink.checkpoint.interval.ms=180000 it's
create /* here */ table src ( -- as well )
  x int // and here '
) with (type = 'datahub' /* ) */);
create table out_t (x int) with (type = 'print');
insert into out_t select /*+ HINT('a') */ x from src; -- the end '
