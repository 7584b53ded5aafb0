import { BerthError } from "../../lib/errors.ts";
import type { Sandbox, SandboxFiles, SandboxMetrics } from "../sandbox.ts";
import type { Life, Surroundings } from "./life.ts";
import { runOneshot } from "./oneshot.ts";

export interface Connection {
  readonly surroundings: Surroundings;
  readonly life: Life;
  readonly folder: string;
  /** Aborts when the sandbox ends. */
  readonly ending: AbortSignal;
}

/** A sandbox as whoever is connected sees it: commands by its agent, files by the host, figures by the control group. */
export async function connectTo(connection: Connection): Promise<Sandbox> {
  const { surroundings, life, folder, ending } = connection;
  const { workspaceId, id } = life.record;
  const files = workspaceId === null ? null : await openFiles(connection, workspaceId);
  const commands = life.agent.inFolder(folder);
  const begin = () => {
    if (ending.aborted) throw lost();
    if (life.group !== null) surroundings.stir(life.group);
  };
  return {
    ...commands,
    id,
    files: files ?? noFiles,
    async spawn(spec) {
      begin();
      return await commands.spawn(spec);
    },
    async openPort(port) {
      begin();
      return await commands.openPort(port);
    },
    async exec(spec) {
      begin();
      if (spec.oneshot !== true) return await commands.exec(spec);
      if (workspaceId === null) throw noWorkspace();
      return await runOneshot(surroundings, { life, folder, spec, ending });
    },
    metrics: () => metricsOf(life),
  };
}

async function openFiles({ surroundings, folder }: Connection, workspaceId: string): Promise<SandboxFiles> {
  const files = await surroundings.workspaces.open({ id: workspaceId, host: "local" }, { folder });
  if (files !== null) return files;
  throw new BerthError("workspace_not_found", "The sandbox's workspace is gone; make a new one.");
}

async function metricsOf({ group, workspace }: Life): Promise<SandboxMetrics> {
  const nothing = { memoryBytes: null, memoryPeakBytes: null, cpuMs: null, pids: null, oomKills: null };
  const usage = await workspace?.usage();
  return { ...((await group?.metrics()) ?? nothing), diskBytes: usage?.bytes ?? null };
}

function lost(): BerthError {
  return new BerthError(
    "sandbox_lost",
    "This sandbox was ended; the next command gets a new one with the same workspace.",
    {
      retryable: true,
    },
  );
}

function noWorkspace(): BerthError {
  return new BerthError("sandbox_unsupported", "This sandbox has no workspace yet; attach one first.");
}

const refuse = () => Promise.reject(noWorkspace());
/** Of a warm sandbox that nobody has claimed. */
const noFiles: SandboxFiles = {
  stat: refuse,
  list: refuse,
  tree: refuse,
  makeFolder: refuse,
  makeLink: refuse,
  setExecutable: refuse,
  read: refuse,
  write: refuse,
  move: refuse,
  remove: refuse,
  glob: refuse,
  grep: refuse,
};
