import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { agentScript } from "../../../src/sandbox/bubblewrap/agent-script.ts";
import {
  type AgentClient,
  type AgentOptions,
  connectAgent,
} from "../../../src/sandbox/bubblewrap/agent-client.ts";

/** A sandbox with nothing but namespaces and the agent, to test the agent by itself. */
export interface BareBubblewrap {
  readonly client: AgentClient;
  /** The workspace, as the host sees it. */
  readonly workspace: string;
  /** bubblewrap itself. */
  readonly process: ChildProcess;
  close(): Promise<void>;
}

const isolation =
  "--unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts --uid 1000 --gid 1000 --cap-drop ALL --die-with-parent --new-session --clearenv --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin --symlink usr/sbin /sbin --ro-bind /etc/alternatives /etc/alternatives --proc /proc --dev /dev --tmpfs /tmp";

export async function startBareBubblewrap(
  options: Partial<AgentOptions> & { binds?: readonly string[]; clock?: Clock } = {},
): Promise<BareBubblewrap> {
  const folder = await mkdtemp(join(tmpdir(), "berth-agent-"));
  const agent = join(folder, "agent.mjs");
  await writeFile(agent, await agentScript());
  const { binds = [], clock = systemClock, ...rest } = options;
  const workspace = await mkdtemp(join(folder, "workspace-"));
  const files = [
    "--ro-bind",
    process.execPath,
    "/opt/berth/node",
    "--ro-bind",
    agent,
    "/opt/berth/agent.mjs",
  ];
  const mounts = [...files, ...binds, "--bind", workspace, "/workspace", "--chdir", "/workspace"];
  const run = ["--", "/opt/berth/node", "/opt/berth/agent.mjs"];
  const child = spawn("/usr/bin/bwrap", [...isolation.split(" "), ...mounts, ...run], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {},
  });
  const exited = once(child, "exit");
  const close = async () => {
    child.kill("SIGKILL");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const client = await connectAgent({
      input: child.stdin,
      output: child.stdout,
      clock,
      environment: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/workspace", LANG: "C.UTF-8" },
      proxy: false,
      maxProcesses: () => 32,
      ...rest,
    });
    return {
      client,
      workspace,
      process: child,
      async close() {
        client.close();
        await close();
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
