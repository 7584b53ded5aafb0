import type { Rows, Target } from "../../../support/security/matrix-row.ts";
import { as, made } from "../../../support/security/people.ts";

/** The sandbox of the session that the member shares. */
async function sandboxOf({ home, make }: Target): Promise<{ readonly sandboxId: string }> {
  const { id = "" } = await make("member", "POST", "/sandboxes", { sessionId: home.things.sessionId });
  return { sandboxId: id };
}

/** A process in it. */
async function processOf(target: Target) {
  const { sandboxId } = await sandboxOf(target);
  // It ends soon: a sandbox has only so many.
  const body = { command: "sleep 0.5", input: true };
  const { id = "" } = await target.make("member", "POST", `/sandboxes/${sandboxId}/processes`, body);
  return { sandboxId, processId: id };
}

async function allocationOf(target: Target) {
  await sandboxOf(target);
  const member = as(target.world, target.home.people.member.key);
  const { items } = made<{ items: { id: string }[] }>(await member.get("/sandbox-allocations"), 200);
  return { params: { allocationId: items[0]?.id ?? "" } };
}

const inSandbox = async (target: Target) => ({ params: await sandboxOf(target) });
const ofProcess = async (target: Target) => ({ params: await processOf(target) });
const ofPort = async (target: Target) => ({ params: { ...(await sandboxOf(target)), port: "8080" } });
const withBody = (body: unknown) => async (target: Target) => ({ ...(await inSandbox(target)), body });

/** 422: plain processes have no ports of their own. */
export const sandboxRows: Rows = {
  listSandboxes: { may: "viewer", ok: [200] },
  createSandbox: {
    may: "member",
    ok: [200, 201],
    given: ({ home }) => ({ body: { sessionId: home.things.sessionId } }),
  },
  getSandbox: { may: "viewer", ok: [200], given: inSandbox },
  deleteSandbox: { may: "member", ok: [204], given: inSandbox },
  getSandboxMetrics: { may: "viewer", ok: [200], given: inSandbox },
  runSandboxCommand: { may: "member", ok: [200], given: withBody({ command: "true" }) },
  startSandboxProcess: { may: "member", ok: [201], given: withBody({ command: "true" }) },
  listSandboxProcesses: { may: "viewer", ok: [200], given: inSandbox },
  getSandboxProcess: { may: "viewer", ok: [200], given: ofProcess },
  feedSandboxProcess: {
    may: "member",
    ok: [204, 422],
    given: async (target) => ({ ...(await ofProcess(target)), body: { data: "x" } }),
  },
  endSandboxProcess: { may: "member", ok: [204], given: ofProcess },
  openSandboxPort: { may: "member", ok: [201, 422], given: withBody({ port: 8080 }) },
  listSandboxPorts: { may: "viewer", ok: [200, 422], given: inSandbox },
  closeSandboxPort: { may: "member", ok: [204, 404], given: ofPort },
  listSandboxAllocations: { may: "viewer", ok: [200] },
  getSandboxAllocation: { may: "member", hidden: true, ok: [200], given: allocationOf },
};
