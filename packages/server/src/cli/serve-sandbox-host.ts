import { loadConfig } from "../config/load.ts";
import { asBerthError } from "../lib/errors.ts";
import { type SandboxHostRole, startSandboxHost } from "../roles/sandbox-host.ts";
import { failureOf } from "./exit.ts";

/** `berth sandbox-host`: starts the host, says where it is, and drains it at the first signal. Returns the exit code. */
export async function serveSandboxHost(flags: Readonly<Record<string, unknown>>): Promise<number> {
  try {
    const host = await startSandboxHost(loadConfig({ flags }));
    console.log(announcement(host));
    await untilDrained(host);
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

/** Resolves when it is empty, or the drain time is over, or a second signal came. */
function untilDrained(host: SandboxHostRole): Promise<void> {
  return new Promise((resolve) => {
    const signals = ["SIGTERM", "SIGINT"] as const;
    let asked = false;
    const done = () => {
      for (const name of signals) process.off(name, onSignal);
      resolve();
    };
    const onSignal = () => {
      if (asked) return done();
      asked = true;
      console.error(
        "Draining: no new sandboxes, the ones that live may end. Press Ctrl-C again to end them now.",
      );
      void host.drain();
    };
    for (const name of signals) process.on(name, onSignal);
    // However it was told to.
    void host.drained.then(done);
  });
}
