// Calls the emulator with a client that is typed by the service's document, and writes what it got as one JSON document.
import createClient from "openapi-fetch";
import type { components, paths } from "./service.js";

declare const process: { argv: string[] };

const client = createClient<paths>({
  baseUrl: process.argv[2],
  headers: { accept: "application/json", "x-emulator-world": "typescript" },
});
const job = { projectName: "demo", jobName: "made-by-typescript" };
const form = { "content-type": "application/x-www-form-urlencoded" };

function encoded(body: object): string {
  return new URLSearchParams(Object.entries(body).map(([name, value]) => [name, String(value)])).toString();
}

async function main(): Promise<void> {
  const running = await client.GET("/api/v2/projects/{projectName}/jobs/{jobName}/instances/{instanceId}", {
    params: { path: { projectName: "project1", jobName: "job1", instanceId: 412536 } },
  });
  const instance: components["schemas"]["InstanceDetails"] | undefined = running.data?.Instance;
  const state: "RUNNING" | undefined = instance?.ActualState === "RUNNING" ? instance.ActualState : undefined;

  const paused = await client.GET("/api/v2/projects/{projectName}/jobs/{jobName}/instances/{instanceId}", {
    params: { path: { projectName: "demo", jobName: "paused-stream", instanceId: 500003 } },
  });
  const code: string | undefined = paused.error?.Code;

  const created = await client.POST("/api/v2/projects/{projectName}/jobs", {
    params: { path: { projectName: job.projectName } },
    body: { jobName: job.jobName, jobType: "FLINK_STREAM", apiType: "SQL", code: "INSERT INTO a SELECT * FROM b;" },
    headers: form,
    bodySerializer: encoded,
  });
  // As JSON, which the document has, too.
  const committed = await client.PUT("/api/v2/projects/{projectName}/jobs/{jobName}/commit", {
    params: { path: job },
    body: { isOnOff: false },
  });
  const started = await client.POST("/api/v2/projects/{projectName}/jobs/{jobName}/instance", {
    params: { path: job },
    headers: form,
  });
  const id: number | undefined = started.data?.instanceId;
  console.log(
    JSON.stringify({
      state,
      startTime: instance?.StartTime,
      code,
      created: created.response.status,
      committed: committed.response.status,
      id,
    }),
  );
}

await main();
