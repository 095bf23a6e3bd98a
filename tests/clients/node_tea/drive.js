// Makes the calls it reads, one JSON document a line, with @alicloud/openapi-client (signature V3).
'use strict';

const readline = require('readline');
const { default: Client, Config, OpenApiRequest, Params } = require('@alicloud/openapi-client');
const { RuntimeOptions } = require('@alicloud/tea-util');

function pathname(call) {
  return call.pattern.replace(/\[(\w+)\]/g, (_, name) => encodeURIComponent(call.path[name]));
}

async function make(call) {
  const client = new Client(new Config({
    accessKeyId: call.access_key_id,
    accessKeySecret: call.access_key_secret,
    endpoint: call.endpoint || 'foas.cn-hangzhou.aliyuncs.com',
    protocol: call.endpoint ? 'HTTP' : 'HTTPS',
  }));
  const params = new Params({
    action: call.operation,
    version: '2018-11-11',
    protocol: call.endpoint ? 'HTTP' : 'HTTPS',
    pathname: pathname(call),
    method: call.method,
    authType: 'AK',
    style: 'ROA',
    reqBodyType: 'formData',
    bodyType: call.format === 'JSON' ? 'json' : 'string',
  });
  const request = new OpenApiRequest({
    query: call.query,
    body: Object.keys(call.form).length > 0 ? call.form : undefined,
    headers: call.format === 'JSON' ? {} : { accept: 'application/xml' },
  });
  const response = await client.callApi(params, request, new RuntimeOptions({}));
  return response.body;
}

async function outcome(call) {
  try {
    return { ok: true, result: await make(call) };
  } catch (error) {
    return {
      ok: false,
      type: error.name,
      code: error.code,
      message: error.message,
      status: error.statusCode,
      request_id: error.data && error.data.RequestId,
    };
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await outcome(JSON.parse(line))));
  }
}

main();
