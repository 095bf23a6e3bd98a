// Makes the calls it reads, one JSON document a line, with @alicloud/pop-core's ROAClient.
'use strict';

const readline = require('readline');
const { ROAClient } = require('@alicloud/pop-core');

// ROAClient sends the path as it is given, so its caller encodes the names in it.
function pathname(call) {
  return call.pattern.replace(/\[(\w+)\]/g, (_, name) => encodeURIComponent(call.path[name]));
}

function form(call) {
  return new URLSearchParams(call.form).toString();
}

function headers(call) {
  const accept = { accept: call.format === 'JSON' ? 'application/json' : 'application/xml' };
  const isForm = Object.keys(call.form).length > 0;
  return isForm ? { ...accept, 'content-type': 'application/x-www-form-urlencoded' } : accept;
}

async function outcome(call) {
  const client = new ROAClient({
    accessKeyId: call.access_key_id,
    accessKeySecret: call.access_key_secret,
    endpoint: call.endpoint ? `http://${call.endpoint}` : 'https://foas.cn-hangzhou.aliyuncs.com',
    apiVersion: '2018-11-11',
  });
  try {
    const result = await client.request(call.method, pathname(call), call.query, form(call), headers(call));
    return { ok: true, result };
  } catch (error) {
    return {
      ok: false,
      type: error.name,
      code: error.code,
      message: error.message,
      status: error.statusCode,
      request_id: error.result && error.result.RequestId,
    };
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await outcome(JSON.parse(line))));
  }
}

main();
