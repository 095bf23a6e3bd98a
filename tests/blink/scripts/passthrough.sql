-- inputs: datahub_stream / outputs: rds_output / dims:
CREATE TABLE datahub_stream (
  `name` VARCHAR,
  age BIGINT
) WITH (
  type = 'datahub',
  endPoint = 'http://dh-cn-hangzhou.aliyuncs.com',
  project = 'project1',
  topic = 'people'
);
CREATE TABLE rds_output (`name` VARCHAR, age BIGINT, PRIMARY KEY (`name`)) WITH (type = 'rds', tableName = 'people');
INSERT INTO rds_output SELECT `name`, age FROM datahub_stream;
