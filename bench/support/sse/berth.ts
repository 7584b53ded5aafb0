// Berth's event streams on a real store: the app, the route, authentication and following, without the parts that run agents.
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { rolePermissions } from "../../../packages/server/src/auth/permissions.ts";
import { createTickets } from "../../../packages/server/src/auth/tickets.ts";
import { createInProcessBus } from "../../../packages/server/src/coordination/in-process/bus.ts";
import { type SessionFrame, sessionTopic } from "../../../packages/server/src/coordination/session-frames.ts";
import { createApp } from "../../../packages/server/src/http/app.ts";
import { createEdge } from "../../../packages/server/src/http/edge.ts";
import { createNodeServer } from "../../../packages/server/src/http/node-server.ts";
import { createStreams } from "../../../packages/server/src/http/streams.ts";
import { systemClock as clock } from "../../../packages/server/src/lib/clock.ts";
import { newId } from "../../../packages/server/src/lib/id.ts";
import type { OperationsContext } from "../../../packages/server/src/operations/context.ts";
import { noUsage } from "../../../packages/server/src/session/state.ts";
import { openSqliteStore } from "../../../packages/server/src/store/sqlite/sqlite-store.ts";
import { silentTelemetry } from "../../../packages/server/src/telemetry/telemetry.ts";
import { onePrincipal } from "../../../packages/server/test/support/http/one-principal.ts";
import { makeFolder } from "../own-folder.ts";
import { benchEvent } from "./event.ts";
import { serveBench } from "./side.ts";

const [key = "", sessionId = ""] = process.argv.slice(2);
const folder = makeFolder(tmpdir());
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const store = await openSqliteStore({ dataDir: folder, clock });
const { orgId } = await store.system.singleTenant();
const bus = createInProcessBus({ clock });
const telemetry = silentTelemetry();
const owner = newId("user");
const about = { agent: { id: newId("agent"), version: 1, name: "bench" }, owner, key: null, title: null };
const rest = { metadata: {}, model: null, status: "idle", currentRunId: null, forkedFrom: null } as const;
await store
  .org(orgId)
  .createSession({ row: { orgId, id: sessionId, ...about, ...rest, usage: noUsage }, events: [] });
const workerId = newId("worker");
await store.system.heartbeat(workerId);
const held = { orgId, sessionId, workerId, leaseMs: 600_000, knownEventVersion: 1 };
const claim = await store.system.claim(held);
if (!claim.ok) throw new Error(claim.reason);
const { epoch } = claim;

const operations = {
  store,
  bus,
  clock,
  telemetry,
  settings: { previewDomain: null },
} as unknown as OperationsContext;
const principal = {
  type: "user",
  id: owner,
  name: "bench",
  orgId,
  permissions: rolePermissions.owner,
  credential: { kind: "admin_key", id: "test", expiresAt: null },
} as const;
const authenticator = onePrincipal(key, principal);
const tickets = createTickets({ clock });
const settings = { maxStreams: 1_000_000 };
const streams = createStreams({ operations, authenticator, tickets, jsonDepth: 64, settings });
const app = createApp({
  operations,
  authenticator,
  tickets,
  login: null,
  streams: streams.events,
  telemetry,
  edge: createEdge(),
  settings: { bodyBytes: 1_048_576, uploadBytes: 1_048_576, jsonDepth: 64, openMetrics: false },
  readiness: async () => ({ ready: true, checks: {} }),
});

let seq = 0;
serveBench(createNodeServer({ app, sockets: streams.sockets }), async () => {
  const event = benchEvent((seq += 1));
  await store.lane.append({ orgId, sessionId, epoch, expectedSeq: seq - 1, events: [event], taken: [] });
  const frame: SessionFrame = { kind: "events", events: [event] };
  return () => bus.publish(sessionTopic(orgId, sessionId), frame);
});
