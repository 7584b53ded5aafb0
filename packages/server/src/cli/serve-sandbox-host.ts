import { loadConfig } from "../config/load.ts";
import { asBerthError } from "../lib/errors.ts";
import { type HostRemains, type SandboxHostRole, startSandboxHost } from "../roles/sandbox-host.ts";
import { failureOf } from "./exit.ts";
import { reloadOnHangUp } from "./hang-up.ts";

/** `berth sandbox-host`: starts the host, says where it is, and drains it at the first signal. Returns the exit code. */
export async function serveSandboxHost(flags: Readonly<Record<string, unknown>>): Promise<number> {
  try {
    const host = await startSandboxHost(loadConfig({ flags }));
    console.log(announcement(host));
    const reloads = reloadOnHangUp(host.reload);
    const left = await untilDrained(host).finally(() => reloads.end());
    if (left !== null) console.error(farewell(left, host.dataDir));
    await host.stop();
    return 0;
  } catch (thrown) {
    const error = asBerthError(thrown);
    console.error(`The sandbox host could not start: ${error.message}`);
    if (error.code === "internal") console.error(error.cause);
    return failureOf(error).exitCode;
  }
}

function announcement({ url, name, capabilities, dataDir }: SandboxHostRole): string {
  const { isolation, label, cgroup, network, diskQuota, reasons } = capabilities;
  return [
    `Berth sandbox host is ready at ${url}`,
    `  name   ${name}`,
    `  data   ${dataDir}`,
    `  gives  ${isolation === "none" ? label : `${label}: limits by cgroup ${cgroup}, network ${network}, disk quota ${diskQuota}`}`,
    ...reasons.map((reason) => `         ${reason}`),
  ].join("\n");
}

/** What becomes of what is left. */
function farewell({ sandboxes, workspaces }: HostRemains, dataDir: string): string {
  if (sandboxes + workspaces === 0) return "Drained: no sandbox and no workspace is left here.";
  const ended = sandboxes === 0 ? [] : [`Sandboxes that end now: ${sandboxes}.`];
  const kept =
    workspaces === 0
      ? []
      : [
          `Workspaces that were not moved and stay in ${dataDir}: ${workspaces}. Start this host again with the same name and data to go on with them;`,
          "a session that is used while it is away begins elsewhere with the files of its last run, and does not get these back.",
        ];
  return ["The drain has ended, and not all is gone.", ...ended, ...kept].join(" ");
}

/** Resolves when it has drained, with what is left; or with null when a second signal came. */
function untilDrained(host: SandboxHostRole): Promise<HostRemains | null> {
  return new Promise((resolve) => {
    const signals = ["SIGTERM", "SIGINT"] as const;
    let asked = false;
    const done = (left: HostRemains | null) => {
      for (const name of signals) process.off(name, onSignal);
      resolve(left);
    };
    const onSignal = () => {
      if (asked) return done(null);
      asked = true;
      console.error(
        "Draining: no new sandboxes, the ones that live may end, and servers move the workspaces to other hosts. Press Ctrl-C again to end now.",
      );
      host.drain();
    };
    for (const name of signals) process.on(name, onSignal);
    // However it was told to.
    void host.drained.then(done);
  });
}
