// LangGraph's API server as its command line starts it for development: everything in memory, with as many workers as the bench has
// turns at once (its default of 10 would only make them wait).
//   server.mjs <base URL of the model>
import { createServer } from "node:net";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "@langchain/langgraph-api/server";

process.env.MODEL_URL = process.argv[2];
// It writes what it has in memory into the folder where it runs.
const folder = mkdtempSync(join(tmpdir(), "berth-bench-langgraph-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const graphs = join(import.meta.dirname, "graphs.mjs");
const { cleanup } = await startServer({
  port: await freePort(),
  host: "127.0.0.1",
  nWorkers: 64,
  cwd: folder,
  graphs: { "at-once": `${graphs}:atOnce`, tokens: `${graphs}:tokens`, tool: `${graphs}:withTool` },
}).then((started) => {
  process.send(Number(started.host.split(":").at(-1)));
  return started;
});
// Its workers never end by themselves.
process.on("disconnect", () => void cleanup().finally(() => process.exit(0)));

/** It keeps port 0 to itself as a number that it does not tell, so one is looked for. */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
