import { createHash } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import type { Clock } from "../../lib/clock.ts";
import { failpoint } from "../../lib/failpoint.ts";
import { type Egress, openEgress, type EgressOptions } from "../egress/egress.ts";
import type { CreateOptions, SandboxPolicy, SandboxRef, SandboxSpec } from "../sandbox.ts";
import { shownPolicy } from "../shown-policy.ts";
import type { HeldWorkspace, HostWorkspaces } from "../workspaces/host-workspaces.ts";
import type { AgentClient } from "./agent-client.ts";
import { agentInside, nodeInside } from "./arguments.ts";
import type { ControlGroup, ControlGroups } from "./control-groups.ts";
import type { Host } from "./host.ts";
import { meetAgent } from "./meet-agent.ts";
import { launch, type Launched } from "./launch.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { type SandboxRecord, updateRecord, beginRecord } from "./record.ts";
import { type OomWatch, watchOom } from "./oom-watch.ts";
import { egressFolder, egressSocket, removeRemains, slotFolder } from "./remains.ts";
import { keepingTo, type Runner } from "./runners.ts";
import { leaseUid } from "./uid-leases.ts";

/** What the sandboxes of one provider are made with. */
export interface Surroundings {
  readonly host: Host;
  readonly groups: ControlGroups | null;
  readonly clock: Clock;
  readonly server: ProcessIdentity;
  readonly egress: (
    sandboxId: string,
  ) => Pick<EgressOptions, "onDecision" | "resolve" | "allowPrivate" | "authorities">;
  readonly workspaces: HostWorkspaces;
  /** Told when a command begins in a sandbox that has control groups. */
  readonly stir: (group: ControlGroup) => void;
  readonly warn: (details: Readonly<Record<string, unknown>>, message: string) => void;
}

/** One sandbox while it is alive in this server. */
export interface Life {
  record: SandboxRecord;
  /** With the values of secrets, which the record never has. */
  policy: SandboxPolicy;
  readonly group: ControlGroup | null;
  readonly egress: Egress;
  readonly launched: Launched;
  readonly agent: AgentClient;
  /** Whoever runs commands in it: its own agent, and those of commands with a sandbox of their own. */
  readonly runners: Set<Runner>;
  /** Null until it has a workspace. */
  workspace: HeldWorkspace | null;
  readonly oom: OomWatch;
  readonly bornAt: number;
  expiresAt: number;
}

export interface Birth {
  readonly ref: SandboxRef;
  readonly spec: SandboxSpec;
  readonly options: CreateOptions;
}

/** What is made of a sandbox so far. */
interface Made {
  workspace?: HeldWorkspace;
  egress?: Egress;
  launched?: Launched;
  agent?: AgentClient;
}

interface Making extends Made {
  readonly runners: Set<Runner>;
}

/** Makes a sandbox up to where its agent answers. What was made is undone when it fails. */
export async function beginLife(surroundings: Surroundings, birth: Birth): Promise<Life> {
  const { ref, spec, options } = birth;
  const { host, workspaces } = surroundings;
  options.signal?.throwIfAborted();
  const owner = spec.workspaceId === undefined ? null : await workspaces.ownerOf(spec.workspaceId);
  const uid = host.rootTools ? await leaseUid(owner, ref.id) : null;
  const record = recordOf(surroundings, birth, uid);
  const folder = `${host.places.sandboxes}/${ref.id}`;
  const made: Making = { runners: new Set() };
  try {
    await beginRecord(folder, record);
    failpoint("sandbox.record-written");
    return await makeAll(surroundings, birth, record, made);
  } catch (thrown) {
    await undo(surroundings, record, made).catch((error: unknown) =>
      surroundings.warn(
        { sandbox: ref.id, error },
        "a sandbox that failed could not be removed; the next sweep tries again",
      ),
    );
    throw thrown;
  }
}

/** Ends what there is of a sandbox and all that belongs to it. */
async function undo(surroundings: Surroundings, record: SandboxRecord, made: Made): Promise<void> {
  made.agent?.close();
  made.launched?.kill();
  await made.launched?.ended;
  await made.egress?.close();
  await removeRemains(surroundings, record, { thorough: made.launched === undefined });
  await made.workspace?.release();
}

/** Ends a sandbox and removes all that belongs to it but its workspace. Can be tried again when it rejects. */
export async function endLife(surroundings: Surroundings, life: Life): Promise<void> {
  failpoint("sandbox.before-destroy");
  const { record, workspace, ...made } = life;
  await undo(surroundings, record, workspace === null ? made : { ...made, workspace });
}

async function makeAll(
  surroundings: Surroundings,
  birth: Birth,
  record: SandboxRecord,
  made: Making,
): Promise<Life> {
  const { host, groups, clock } = surroundings;
  const { ref, spec, options } = birth;
  const { limits } = spec.policy;
  const [placed, grouped] = await Promise.allSettled([
    placeFolders(surroundings, { record, spec, made }),
    groups?.create(groupName(ref.id, options), limits) ?? Promise.resolve(null),
  ]);
  const group = valueOf(grouped);
  const workspacePath = valueOf(placed);
  made.egress = await openEgress({
    ...surroundings.egress(ref.id),
    socketPath: `${record.folder}/${egressFolder}/${egressSocket}`,
    policy: spec.policy.egress,
    clock,
    ...(record.uid !== null && { owner: { uid: record.uid, gid: record.uid } }),
  });
  const { signal } = options;
  const launched = await startBubblewrap(surroundings, { record, limits, workspacePath, signal });
  made.launched = launched;
  failpoint("sandbox.spawned");
  const known: SandboxRecord = { ...record, processes: [...launched.processes] };
  const both = await Promise.allSettled([
    group?.add(launched.first.pid),
    updateRecord(`${host.places.sandboxes}/${ref.id}`, known),
  ]);
  for (const one of both) valueOf(one);
  failpoint("sandbox.placed");
  launched.go();
  const oom = watchOom(group);
  const agent = await meetAgent({
    clock,
    launched,
    explain: oom.explain,
    signal,
    maxProcesses: () => life.policy.limits.processes,
  });
  made.agent = agent;
  made.runners.add({ agent, first: launched.first });
  const life: Life = {
    record: known,
    policy: spec.policy,
    group,
    egress: made.egress,
    launched,
    agent,
    runners: made.runners,
    workspace: made.workspace ?? null,
    oom,
    bornAt: clock.monotonic(),
    expiresAt: clock.monotonic() + options.ttlMs,
  };
  return life;
}

interface Start {
  readonly record: SandboxRecord;
  readonly limits: SandboxPolicy["limits"];
  readonly workspacePath: string;
  readonly signal: AbortSignal | undefined;
}

/** Starts bubblewrap for a sandbox, up to where it waits to be let go. */
export function startBubblewrap({ host, clock }: Surroundings, start: Start): Promise<Launched> {
  const { record, limits, workspacePath, signal } = start;
  return launch({
    programs: host.programs,
    plan: {
      view: host.view,
      workspace: workspacePath,
      node: host.node,
      agent: host.agent,
      egress: `${record.folder}/${egressFolder}`,
      tmpBytes: limits.tmpBytes,
      shmBytes: limits.shmBytes,
    },
    seccomp: host.seccomp,
    command: [nodeInside, agentInside],
    openFiles: limits.openFiles,
    fileBytes: limits.fileBytes,
    uid: record.uid,
    clock,
    signal,
  });
}

/** The path by which bubblewrap reaches the workspace that a sandbox has. */
export function visibleWorkspace({ host }: Surroundings, { record, workspace }: Life): string {
  const slot = `${record.folder}/${slotFolder}`;
  return host.rootTools === null ? (workspace?.path ?? slot) : slot;
}

function recordOf({ host, groups, server }: Surroundings, birth: Birth, uid: number | null): SandboxRecord {
  const { ref, spec, options } = birth;
  const folder = `${host.places.run}/${ref.id}`;
  return {
    version: 1,
    id: ref.id,
    incarnation: options.incarnation,
    deployment: options.deployment,
    template: spec.template,
    workspaceId: spec.workspaceId ?? null,
    policy: shownPolicy(spec.policy) as SandboxRecord["policy"],
    ttlMs: options.ttlMs,
    server,
    processes: [],
    uid,
    groups: [...(groups?.foldersOf(groupName(ref.id, options)) ?? [])],
    mounts: host.rootTools === null ? [] : [`${folder}/${slotFolder}`],
    folder,
  };
}

/** Tells deployments apart without naming them: the sandbox can see it in /proc/self/cgroup. Whose it is stands in the record. */
function groupName(id: string, { deployment, incarnation }: CreateOptions): string {
  const owner = createHash("sha256").update(deployment).digest("hex").slice(0, 12);
  return `berth-${owner}-${id}-${incarnation.replaceAll(/[^\w.-]/g, "_").slice(0, 64)}`;
}

/** Makes the folders of a sandbox and takes its workspace; gives the path that becomes its /workspace. */
async function placeFolders(
  { host, workspaces }: Surroundings,
  { record, spec, made }: { record: SandboxRecord; spec: SandboxSpec; made: Making },
): Promise<string> {
  const { folder, uid } = record;
  const slot = `${folder}/${slotFolder}`;
  await mkdir(host.places.run, { recursive: true });
  await chmod(host.places.run, 0o711);
  for (const path of [folder, `${folder}/${egressFolder}`, slot]) {
    await mkdir(path);
    // The server's umask may be anything; others may pass and not list.
    await chmod(path, 0o711);
  }
  const { workspaceId, policy } = spec;
  if (workspaceId !== undefined) {
    const { diskBytes, inodes } = policy.limits;
    made.workspace = await workspaces.hold(workspaceId, {
      uid,
      limits: { diskBytes, inodes },
      ...keepingTo(made.runners),
    });
  }
  if (host.rootTools === null) return made.workspace?.path ?? slot;
  if (made.workspace === undefined) await host.rootTools.share(slot);
  else await host.rootTools.bind(made.workspace.path, slot);
  return slot;
}

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}
