-- inputs: T / outputs: rds_output / dims:
create table T (a varchar, b varchar, proctime as PROCTIME()) with (type='datahub');
create table rds_output (a varchar, b varchar) with (type='rds');
insert into rds_output
select a, b from (
  select *, row_number() over (partition by a order by proctime asc) as rowNum from t
) where rowNum = 1;
