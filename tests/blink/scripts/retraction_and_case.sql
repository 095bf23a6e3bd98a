-- inputs: lazada_wireless / outputs: output_final / dims:
CREATE TABLE Lazada_Wireless (tr_day VARCHAR, v INT) WITH (TYPE = 'DATAHUB', Topic = 'w');
CREATE TABLE output_final (v INT, c BIGINT, PRIMARY KEY (v)) WITH (Type = 'ads');
INSERT INTO OUTPUT_FINAL SELECT V, COUNT(1) FROM (SELECT TR_DAY, MAX(V) AS V FROM LAZADA_WIRELESS GROUP BY TR_DAY) GROUP BY V;
