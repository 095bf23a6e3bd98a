import { after, before } from "node:test";
import { GenericContainer, Wait } from "testcontainers";

const token = "of-the-tests";

/** Run the tests of a file against one emulator; withWorld creates a world for each. */
export function useContainer() {
  if (process.env.FOAS_ENDPOINT) return; // a running server, for example in CI
  let container;
  before(async () => {
    container = await new GenericContainer("foas-emulator")
      .withExposedPorts(8018)
      .withEnvironment({ FOASEMU_CONTROL_TOKEN: token })
      .withWaitStrategy(Wait.forHttp("/_emulator/health", 8018))
      .start();
    process.env.FOAS_ENDPOINT = `http://${container.getHost()}:${container.getMappedPort(8018)}`;
    process.env.FOASEMU_CONTROL_TOKEN = token;
  });
  after(() => container?.stop());
}
