-- inputs: kafka_src / outputs: rds_sink / dims:
CREATE FUNCTION kafkaparser AS 'com.example.KafkaUDTF';
CREATE TABLE kafka_src (
  messageKey VARBINARY, `message` VARBINARY, topic VARCHAR, `partition` INT, `offset` BIGINT
) WITH (type = 'kafka010', topic = 'test', `group.id` = 'group', bootstrap.servers = 'ip1:port1,ip2:port2',
  `security.protocol`=SASL_PLAINTEXT, `sasl.jaas.config`='PlainLoginModule required username="a" password="b";');
CREATE TABLE rds_sink (name VARCHAR, `order` VARCHAR) WITH (type='rds', url='jdbc:mysql://localhost:3306/test');
INSERT INTO rds_sink
SELECT T.name, T.`order`
FROM kafka_src as S
LEFT JOIN LATERAL TABLE (kafkaparser (`message`)) as T (
  name,
  `order`
) ON TRUE;
