import type { Endpoint } from "./endpoint.ts";
import { closeSandboxPortRoute } from "./routes/close-sandbox-port.ts";
import { createSandboxRoute } from "./routes/create-sandbox.ts";
import { deleteSandboxRoute } from "./routes/delete-sandbox.ts";
import { endSandboxProcessRoute } from "./routes/end-sandbox-process.ts";
import { feedSandboxProcessRoute } from "./routes/feed-sandbox-process.ts";
import { getSandboxRoute } from "./routes/get-sandbox.ts";
import { getSandboxAllocationRoute } from "./routes/get-sandbox-allocation.ts";
import { getSandboxMetricsRoute } from "./routes/get-sandbox-metrics.ts";
import { getSandboxProcessRoute } from "./routes/get-sandbox-process.ts";
import { listSandboxAllocationsRoute } from "./routes/list-sandbox-allocations.ts";
import { listSandboxPortsRoute } from "./routes/list-sandbox-ports.ts";
import { listSandboxProcessesRoute } from "./routes/list-sandbox-processes.ts";
import { listSandboxesRoute } from "./routes/list-sandboxes.ts";
import { openSandboxPortRoute } from "./routes/open-sandbox-port.ts";
import { runSandboxCommandRoute } from "./routes/run-sandbox-command.ts";
import { startSandboxProcessRoute } from "./routes/start-sandbox-process.ts";

/** Sandboxes: who has them, what runs in them, and what of them is shown outside. */
export const sandboxEndpoints: readonly Endpoint[] = [
  listSandboxesRoute,
  createSandboxRoute,
  getSandboxRoute,
  deleteSandboxRoute,
  getSandboxMetricsRoute,
  runSandboxCommandRoute,
  startSandboxProcessRoute,
  listSandboxProcessesRoute,
  getSandboxProcessRoute,
  feedSandboxProcessRoute,
  endSandboxProcessRoute,
  openSandboxPortRoute,
  listSandboxPortsRoute,
  closeSandboxPortRoute,
  listSandboxAllocationsRoute,
  getSandboxAllocationRoute,
];
