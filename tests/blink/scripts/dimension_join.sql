-- inputs: orders / outputs: enriched / dims: customers
create table orders (id bigint, customer varchar, proc as proctime()) with (type='datahub');
create table customers (
  customer varchar,
  phone bigint,
  primary key (customer),
  PERIOD FOR SYSTEM_TIME
) with (type='rds');
create table enriched (id bigint, phone bigint) with (type='rds');
insert into enriched
select o.id, c.phone
from orders as o
join customers for system_time as of proctime() as c
on o.customer = c.customer;
