// One stuntdouble for the tests of a file.

import { GenericContainer, Wait } from "testcontainers";

const PORT = 8080;
// Kept, it is there for the next run and for other files' tests, and nobody here ends it.
const isKept = process.env.TESTCONTAINERS_REUSE_ENABLE === "true";

export async function startStuntdouble() {
  const serves = Wait.forHttp("/_mock/health", PORT, { abortOnContainerExit: true });
  const wanted = new GenericContainer("stuntdouble")
    .withExposedPorts(PORT)
    // Also how long it waits between two tries.
    .withWaitStrategy(serves.forStatusCode(200).withReadTimeout(100))
    .withStartupTimeout(30_000);
  const container = await (isKept ? wanted.withReuse() : wanted).start();
  return {
    origin: `http://${container.getHost()}:${container.getMappedPort(PORT)}`,
    stop: () => (isKept ? undefined : container.stop()),
  };
}
