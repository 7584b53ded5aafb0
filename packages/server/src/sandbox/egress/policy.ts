import { isIP } from "node:net";
import { BerthError } from "../../lib/errors.ts";
import type { EgressPolicy, EgressRule, EgressSecret } from "../sandbox.ts";
import { normalHost, type Target } from "./target.ts";

/** How a request goes out. */
export interface Grant {
  readonly port: number;
  /** A plain request of the sandbox goes out over TLS. */
  readonly tls: boolean;
  readonly secrets: readonly EgressSecret[];
}

export interface CompiledPolicy {
  judge(target: Target): Grant | "not_listed" | "port_not_listed";
  /** Every secret, whatever host it is for. */
  readonly secrets: readonly EgressSecret[];
}

const usualPorts: readonly number[] = [80, 443];

interface Rule {
  readonly matches: (host: string) => boolean;
  readonly ports: readonly number[];
  readonly secrets: readonly EgressSecret[];
  /** It has secrets and does not name port 80: nothing goes there without TLS. */
  readonly tls: boolean;
}

/** Throws `egress_rule_invalid` for a host, port or secret that cannot be held. */
export function compilePolicy({ allow }: EgressPolicy): CompiledPolicy {
  const rules = allow.map(compileRule);
  return {
    secrets: rules.flatMap(({ secrets }) => secrets),
    judge(target) {
      const named = rules.filter(({ matches }) => matches(target.host));
      if (named.length === 0) return "not_listed";
      const open = named.filter((rule) => rule.ports.includes(wayOut(rule, target).port));
      // One with secrets first: what it sends without TLS, and where to, is its to say.
      const first = open.find(({ secrets }) => secrets.length > 0) ?? open[0];
      if (first === undefined) return "port_not_listed";
      const way = wayOut(first, target);
      const same = open.filter((rule) => isSameWay(wayOut(rule, target), way));
      return { ...way, secrets: target.kind === "tunnel" ? [] : same.flatMap(({ secrets }) => secrets) };
    },
  };
}

type Way = Pick<Grant, "port" | "tls">;

function wayOut(rule: Rule, { kind, port }: Target): Way {
  if (kind === "tunnel" || !rule.tls) return { port, tls: false };
  return { port: port === 80 ? 443 : port, tls: true };
}

function isSameWay(one: Way, other: Way): boolean {
  return one.port === other.port && one.tls === other.tls;
}

function compileRule({ host, ports = usualPorts, secrets = [] }: EgressRule): Rule {
  if (ports.length === 0 || !ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw invalid(`The ports of ${JSON.stringify(host)} must be numbers from 1 to 65535.`);
  }
  for (const { placeholder, value } of secrets) {
    if (!/^[A-Za-z0-9_-]{16,200}$/.test(placeholder) || !/^[!-~]+$/.test(value)) {
      throw invalid(
        `A secret for ${JSON.stringify(host)} cannot be sent in a header: it must be visible ASCII characters.`,
      );
    }
  }
  const tls = secrets.length > 0 && (ports === usualPorts || !ports.includes(80));
  return { matches: matcherOf(host), ports, secrets, tls };
}

function matcherOf(written: string): (host: string) => boolean {
  const wild = written.startsWith("*.");
  const rest = wild ? written.slice(2) : written;
  const host = normalHost(isIP(rest) === 6 ? `[${rest}]` : toAscii(rest));
  if (host === null || (wild && isIP(host) !== 0)) {
    throw invalid(`${JSON.stringify(written)} is no name, no *.name and no address.`);
  }
  if (!wild) return (other) => other === host;
  const end = `.${host}`;
  return (other) => other.endsWith(end) && other.length > end.length;
}

/** An international name as it is asked for. What is none stays. */
function toAscii(name: string): string {
  if (!/[^\0-\x7f]/.test(name) || /[\s/?#@:\\]/.test(name)) return name;
  return URL.parse(`http://${name}/`)?.hostname ?? name;
}

function invalid(message: string): BerthError {
  return new BerthError("egress_rule_invalid", message);
}
