import type { SandboxSystem } from "@berth/client";
import type { LoadedConfig } from "../../config/load.ts";
import { probeSandboxes } from "../../roles/probe-sandboxes.ts";
import { safeText } from "../terminal/safe-text.ts";
import type { Finding } from "./finding.ts";

/** What is told of isolation, by a server or by a probe of this machine. */
interface Isolation {
  readonly label: string;
  readonly reasons: readonly string[];
  readonly unavailable?: string | null | undefined;
}

const weak = "Commands of agents run as the server's own user: let only people use it whom you trust.";

/** What this machine could give a server with this configuration; no server is needed. */
export async function checkIsolation(loaded: LoadedConfig): Promise<readonly Finding[]> {
  const { mode, sandbox, sandboxHosts } = loaded.config;
  const name = "sandbox";
  if (sandbox === "none") return [{ name, status: "ok", detail: "none: this server is told to have none" }];
  if (sandbox === "remote" || (sandbox === "auto" && sandboxHosts.length > 0)) {
    const detail = `on ${sandboxHosts.length} other machines: run berth doctor there`;
    return [{ name, status: "ok", detail }];
  }
  if (sandbox === "local-process")
    return [{ name, status: "warn", detail: "plain processes, as configured: not isolated", fix: weak }];
  const found = await probeSandboxes(loaded);
  if (found.unavailable === undefined) return [ok(`bubblewrap: ${found.label}`), ...missing(found)];
  const must = mode === "multi" || sandbox === "bubblewrap";
  const instead = must
    ? "No sandbox is given out until then."
    : "Until then plain processes are used, which isolate nothing.";
  return [
    {
      name,
      status: must ? "fail" : "warn",
      detail: `bubblewrap cannot be used: ${safeText(found.unavailable)}`,
      fix: instead,
    },
    ...missing(found),
  ];
}

/** What a running server says of its sandboxes. */
export function judgeSandboxes(system: SandboxSystem): readonly Finding[] {
  const { provider, label, isolation, unavailable, hosts, live, warm } = system;
  const name = "sandbox";
  const busy = `${live.active} in use, ${warm} warm`;
  const main: Finding =
    unavailable !== null
      ? {
          name,
          status: "warn",
          detail: `${provider}: ${safeText(unavailable)}`,
          fix: "Files and commands of agents are refused until a sandbox that isolates can be had.",
        }
      : isolation === "none"
        ? { name, status: "warn", detail: `${provider}: ${safeText(label)}; ${busy}`, fix: weak }
        : ok(`${provider}: ${safeText(label)}; ${busy}`);
  return [main, ...missing(system), ...hosts.flatMap(judgeHost)];
}

function judgeHost({ name, healthy, draining, problem }: SandboxSystem["hosts"][number]): readonly Finding[] {
  if (healthy && !draining) return [];
  const warning = { name: "sandbox host", status: "warn" } as const;
  if (healthy) {
    const detail = `${safeText(name)} drains: it takes no new sandboxes, and its workspaces are moved to other hosts`;
    const fix = "It ends by itself. Start it again to use it again.";
    return [{ ...warning, detail, fix }];
  }
  const detail = `${safeText(name)} is not healthy${problem === null ? "" : `: ${safeText(problem)}`}`;
  const fix =
    "Start it. To give it up, leave its name in sandboxHosts until no session has files there: such sessions begin elsewhere with their last run's files while it is dead, and are refused once its name is out.";
  return [{ ...warning, detail, fix }];
}

function ok(detail: string): Finding {
  return { name: "sandbox", status: "ok", detail };
}

/** One finding for each thing that is missing: each says itself what to do. */
function missing({ reasons }: Isolation): readonly Finding[] {
  return reasons.map((reason) => ({ name: "isolation", status: "warn", detail: safeText(reason) }));
}
