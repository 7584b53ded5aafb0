// A server that makes sandboxes and is killed: by a failpoint, or by whoever reads what it says. Arguments: data folder, deployment,
// failpoint or "none", what to do.
import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { armFailpoint } from "../../../src/lib/failpoint.ts";
import { newId } from "../../../src/lib/id.ts";
import { policy } from "../../../src/sandbox/sandbox-harness.conformance.ts";
import { makeBubblewrap } from "./bubblewrap-rig.ts";

const [dataDir = "", deployment = "", failpoint = "none", naive = ""] = process.argv.slice(2);
const { provider } = await makeBubblewrap({ dataDir });
await provider.probe();
const workspaceId = newId("workspace");
await provider.workspaces.create({ id: workspaceId, host: "local" }, policy.limits);
const ref = { id: newId("sandbox"), host: "local" };
if (failpoint !== "none") armFailpoint(failpoint);
const options = { incarnation: "first", deployment, ttlMs: 600_000 };
await provider.create(ref, { template: "test", policy, workspaceId }, options);
const sandbox = await provider.connect(ref);
await sandbox.spawn({ command: "echo up; setsid sleep 300 & env -i setsid setsid sleep 300 & sleep 300" });
await sandbox.exec({ command: "echo kept > file; sleep 0.1", timeoutMs: 10_000 });
const plain = naive === "" ? null : spawn("sleep", [naive], { stdio: "ignore", detached: true });
writeSync(1, `${JSON.stringify({ id: ref.id, workspaceId, plain: plain?.pid ?? null })}\n`);
if (failpoint !== "none") await provider.destroy(ref, { incarnation: "first", reason: "test" });
else setInterval(() => undefined, 1_000);
