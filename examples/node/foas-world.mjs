import { randomUUID } from "node:crypto";

/** Run the body of a test in a world of its own; if it fails, the diagnostics of the test have the journal. */
export function withWorld(body) {
  return async (test) => {
    const endpoint = (process.env.FOAS_ENDPOINT ?? "http://127.0.0.1:8018").replace(/\/$/, "");
    const token = process.env.FOASEMU_CONTROL_TOKEN;
    const name = randomUUID();
    const world = { endpoint, name, accessKeyId: `world-${name}`, accessKeySecret: "test" };
    /** Call the control API for this world; docs/control-api.md describes it. */
    world.control = async (method, path, document) => {
      const headers = token ? { authorization: `Bearer ${token}` } : undefined;
      const options = { method, headers, body: document && JSON.stringify(document) };
      const answer = await fetch(`${endpoint}/_emulator/worlds/${name}${path}`, options).catch((cause) => {
        const hint = "start one, or set FOAS_ENDPOINT to its URL, such as http://127.0.0.1:8018";
        throw new Error(`No foas-emulator answers at ${endpoint}: ${hint}.`, { cause });
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      const isJson = answer.headers.get("content-type")?.includes("json");
      return isJson ? JSON.parse(text) : text;
    };
    await world.control("PUT", "/settings", {});
    try {
      await body(world, test);
    } catch (error) {
      const calls = await world.control("GET", "/journal?last=1000&as=text").catch(String);
      for (const line of ["The calls of the test's world:", ...calls.trimEnd().split("\n")]) test.diagnostic(line);
      throw error;
    } finally {
      // If the world or the server is gone, report that without hiding the error of the test.
      await world.control("DELETE", "").catch((gone) => test.diagnostic(`foas-emulator: ${gone}`));
    }
  };
}
