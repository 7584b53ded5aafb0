import { readlinkSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newKeyPair } from "../../../src/sandbox/protocol/keys.ts";
import {
  createFakeHost,
  type FakeAnswer,
  type FakeHost,
  infoOf,
  json,
} from "../../support/sandbox/fake-host.ts";
import { createDecoy } from "../../support/sandbox/hostile-rig.ts";
import type { Finding, Row } from "../row.ts";
import type { Target } from "../target.ts";

/** What a host says when it is to make a sandbox. */
function liesOf(decoy: string): Readonly<Record<string, FakeAnswer>> {
  return {
    "no JSON": (_, response) => response.end("<html>"),
    "another incarnation": (call, response) =>
      json(response, { result: infoOf(call, { incarnation: "another", ttlLeftMs: call.args["ttlMs"] }) }),
    "another sandbox": (call, response) =>
      json(response, { result: infoOf(call, { id: "sbx_01arz3ndektsv4rrffq69g5fav" }) }),
    "another workspace": (call, response) =>
      json(response, { result: infoOf(call, { workspaceId: null, ttlLeftMs: call.args["ttlMs"] }) }),
    "an error in a 200": (_, response) =>
      json(response, { error: { code: "sandbox_not_found", message: "a lie", retryable: false } }),
    "a redirect": (_, response) => response.writeHead(307, { location: `${decoy}/v1/x` }).end(),
    "an answer without end": (_, response) => {
      let left = 256;
      const piece = Buffer.alloc(1_048_576, 0x20);
      const more = () => {
        while (left > 0 && !response.destroyed) {
          left -= 1;
          if (!response.write(piece)) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    },
  };
}

/** A host that has the workspaces that it is asked for, and sandboxes as it says. */
async function openLiar(): Promise<FakeHost> {
  const fake = await createFakeHost();
  fake.answer("workspace/make", (_, response) => json(response, { result: null }));
  fake.answer("workspace/open", (_, response) => json(response, { result: true }));
  fake.answer("workspace/delete", (_, response) => json(response, { result: true }));
  fake.answer("sandbox/create", (call, response) =>
    json(response, { result: infoOf(call, { ttlLeftMs: call.args["ttlMs"] }) }),
  );
  fake.answer("sandbox/destroy", (_, response) => json(response, { result: "destroyed" }));
  return fake;
}

async function believeHost(target: Target): Promise<Finding> {
  const [fake, decoy] = [await openLiar(), await createDecoy()];
  const key = join(target.outside, "liar.pem");
  await writeFile(key, newKeyPair().privateKey, { mode: 0o644 });
  const settings = {
    BERTH_SANDBOX: "remote",
    BERTH_SANDBOX_HOSTS: `fake=${fake.url}`,
    BERTH_SANDBOX_HOST_KEY_FILE: key,
    BERTH_SANDBOX_WAIT: "1s",
  };
  const server = await target.another({ settings });
  const leaks: string[] = [];
  try {
    const before = await server.serverBytes();
    const honest = await server.tenant().then(() => "", String);
    if (honest !== "") leaks.push(`the probe did not run: an honest host was refused: ${honest}`);
    const lies = Object.entries(liesOf(decoy.url));
    for (const [name, lie] of lies) {
      fake.answer("sandbox/create", lie);
      const began = performance.now();
      const said = await server.tenant().then(() => "believed", String);
      if (!said.includes("503 sandbox_")) leaks.push(`${name}: ${said.slice(0, 160)}`);
      if (performance.now() - began > 15_000) leaks.push(`${name} held a caller up for 15 s`);
    }
    const calls = await callsToTheBroken(fake, server);
    if (calls > 0) leaks.push(`a host that only lies was called ${calls} times more`);
    if (decoy.visits() > 0) leaks.push("a redirect was followed");
    const grown = Math.round(((await server.serverBytes()) - before) / 1_048_576);
    if (grown > 50) leaks.push(`the server grew by ${grown} MiB`);
    return { leaks, seen: `${lies.length} lies believed by nobody, then it was not asked any more` };
  } finally {
    await server.close();
    await decoy.close();
    await fake.close();
  }
}

/** How often it is still called when it has told nothing but lies for a while. */
async function callsToTheBroken(fake: FakeHost, server: Target): Promise<number> {
  for (const name of new Set(fake.seen.map((call) => call.name)))
    fake.answer(name, (_, response) => response.end("lies"));
  for (let attempt = 0; attempt < 8; attempt++) await server.tenant().catch(() => null);
  const before = fake.seen.filter(({ name }) => name !== "host/heartbeat").length;
  await server.tenant().catch(() => null);
  return fake.seen.filter(({ name }) => name !== "host/heartbeat").length - before;
}

/** A client that believes: it follows where it is sent. */
async function followLies(): Promise<Finding> {
  const [fake, decoy] = [await openLiar(), await createDecoy()];
  try {
    fake.answer("sandbox/create", liesOf(decoy.url)["a redirect"] ?? (() => undefined));
    await fetch(`${fake.url}/v1/sandbox/x/create`, { method: "POST", body: "{}\n" });
    return { leaks: decoy.visits() > 0 ? ["a redirect was followed"] : [], seen: "" };
  } finally {
    await decoy.close();
    await fake.close();
  }
}

const look = "readlink /proc/self/ns/pid";

/** Sandboxes are to be on this machine and see its own system, whatever the target has. */
const here = { BERTH_SANDBOX_HOSTS: "", BERTH_SANDBOX_ROOTFS: "" };

/** With a file in the place of one of its folders bubblewrap can make nothing. */
async function spoilBubblewrap(dataDir: string): Promise<void> {
  await mkdir(join(dataDir, "sandbox"));
  await writeFile(join(dataDir, "sandbox", "trash"), "");
}

/** Where nothing isolates there is nothing: whoever insists gets no server, who does not a server without sandboxes. */
async function withoutIsolation(target: Target): Promise<Finding> {
  const prepare = spoilBubblewrap;
  const leaks: string[] = [];
  for (const sandbox of ["bubblewrap", "local-process"]) {
    const started = await target
      .another({ mode: "multi", settings: { ...here, BERTH_SANDBOX: sandbox }, prepare })
      .then(
        async (server) => {
          await server.close();
          return true;
        },
        () => false,
      );
    if (started) leaks.push(`a server of several organizations began with ${sandbox}`);
  }
  const said = await runOn(target, "multi");
  if (!said.includes("503 sandbox_unavailable")) leaks.push(`it was given a sandbox: ${said.slice(0, 160)}`);
  // The same machine, where the operator alone uses it: there the command runs, so that the attack would have.
  const plain = await runOn(target, "single");
  if (!plain.includes(readlinkSync("/proc/self/ns/pid")))
    leaks.push(`the probe did not run: ${plain.slice(0, 160)}`);
  return {
    leaks,
    seen: "named: no server; by choice: 503 sandbox_unavailable; in mode single the same command ran plainly",
  };
}

async function runOn(target: Target, mode: "single" | "multi"): Promise<string> {
  const settings = { ...here, BERTH_SANDBOX: "auto" };
  const server = await target.another({ mode, settings, prepare: spoilBubblewrap });
  try {
    const tenant = await server.tenant();
    return (await tenant.run(look)).output;
  } catch (error) {
    return String(error);
  } finally {
    await server.close();
  }
}

export const hostRows: readonly Row[] = [
  { id: "SBX-22", name: "A remote host that lies", run: believeHost, naive: followLies },
  { id: "SBX-23", name: "No isolation to be had", run: withoutIsolation },
];
