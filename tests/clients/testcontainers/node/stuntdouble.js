// Starts one stuntdouble for the tests of a file.

import { GenericContainer, Wait } from "testcontainers";

const PORT = 8080;
// A reused container stays for the next run and for the tests of other files; it is not stopped here.
const isReused = process.env.TESTCONTAINERS_REUSE_ENABLE === "true";

export async function startStuntdouble() {
  const isServing = Wait.forHttp("/_mock/health", PORT, { abortOnContainerExit: true });
  const image = new GenericContainer("stuntdouble")
    .withExposedPorts(PORT)
    // The read timeout is also the time between two tries.
    .withWaitStrategy(isServing.forStatusCode(200).withReadTimeout(100))
    .withStartupTimeout(30_000);
  const container = await (isReused ? image.withReuse() : image).start();
  return {
    origin: `http://${container.getHost()}:${container.getMappedPort(PORT)}`,
    stop: () => (isReused ? undefined : container.stop()),
  };
}
