import assert from "node:assert/strict";
import { test } from "node:test";

import { useContainer } from "./foas-container.mjs";
import { withWorld } from "./foas-world.mjs";

useContainer();

const instance = "/api/v2/projects/project1/jobs/job1/instances/412536";

/** Your program makes this call, with an SDK that signs with world.accessKeyId. */
async function status(world) {
  const answer = await fetch(world.endpoint + instance, { headers: { "x-emulator-world": world.name } });
  return answer.status;
}

test("the documented instance is running", withWorld(async (world) => {
  assert.equal(await status(world), 200);
}));

test("a failed instance is refused", withWorld(async (world) => {
  await world.control("PUT", "/projects/project1/jobs/job1/instances/412536/state", { ActualState: "FAILED" });
  assert.equal(await status(world), process.env.EXAMPLE_MUST_FAIL ? 200 : 400);
}));
