import { agentDefinition } from "@berth/contract";
import { expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { story } from "../../test/support/session/story.ts";
import type { SandboxRequest } from "../allocation/session-sandboxes.ts";
import { SandboxUse } from "./sandbox-use.ts";

const definition = agentDefinition.parse({
  name: "a",
  model: "demo/tour",
  sandbox: {
    strategy: "User-Exclusive",
    memory: 256,
    cpus: 0.5,
    disk: 64,
    egress: [{ host: "api.example.com", ports: [443] }],
  },
});

it("asks with what the session's own agent wants, and tells once what was given and what went", async () => {
  const { state } = story().message("hi");
  const clock = createManualClock();
  const asked: Partial<SandboxRequest>[] = [];
  const given = [
    { sandboxId: "sbx_1", allocationStrategy: "User-Exclusive", warm: true } as const,
    null,
    {
      sandboxId: "sbx_2",
      allocationStrategy: "User-Exclusive",
      warm: false,
      before: { sandboxId: "sbx_1", reason: "lost" },
    } as const,
  ];
  const loss = { code: "workspace_lost", message: "They are gone.", retryable: false };
  const losses = [null, null, loss];
  const use = new SandboxUse({
    context: {
      clock,
      openSecret: () => Promise.resolve(null),
      sandboxes: { kind: "bubblewrap", probe: async () => ({ isolation: "namespace" }) },
    },
    definitions: { get: async () => definition },
    held: { orgId: "org_a", sessionId: "ses_a", epoch: 1 },
    workspace: {
      async sandbox(_: unknown, request: Partial<SandboxRequest>) {
        asked.push(request);
        const next = given.shift() ?? null;
        if (next !== null) request.onGiven?.(next);
        return {};
      },
      takeLoss: () => losses.shift() ?? null,
    },
  } as unknown as ConstructorParameters<typeof SandboxUse>[0]);
  const { signal } = new AbortController();

  await use.sandbox(state, signal);
  const how = { allocationStrategy: "User-Exclusive", provider: "bubblewrap", isolation: "namespace", ms: 0 };
  const first = { type: "sandbox.allocated", data: { sandboxId: "sbx_1", warm: true, ...how } };
  expect(use.take()).toEqual([first]);
  await use.sandbox(state, signal);
  expect(use.take()).toEqual([]);
  await use.sandbox(state, signal);
  expect(use.take()).toEqual([
    { type: "sandbox.released", data: { sandboxId: "sbx_1", reason: "lost" } },
    { type: "sandbox.allocated", data: { sandboxId: "sbx_2", warm: false, ...how } },
    { type: "error", data: loss },
  ]);
  expect(use.take()).toEqual([]);

  const mebibyte = 1024 * 1024;
  expect(asked[0]).toMatchObject({
    userId: state.owner,
    wish: {
      strategy: "User-Exclusive",
      limits: { memoryBytes: 256 * mebibyte, cpus: 0.5, diskBytes: 64 * mebibyte },
      egress: { allow: [{ host: "api.example.com", ports: [443] }] },
    },
  });
});
