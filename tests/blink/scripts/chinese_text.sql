-- inputs: 输入表 / outputs: 结果表 / dims:
-- 中文注释，包括‘引号’（和括号
CREATE TABLE 输入表 (城市 VARCHAR, x INT) WITH (type='datahub', topic='城市');
CREATE TABLE `结果表` (城市 VARCHAR) WITH (type='rds', tableName='结果');
INSERT INTO 结果表 SELECT 城市 FROM `输入表` WHERE 城市 = _UTF16'【杭州】' OR 城市 = N'上海' OR 城市 = U&'\5317\4eac';
