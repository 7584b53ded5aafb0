// Preloaded into every peer: a process whose figures are taken reaches this machine and nothing else. Whatever would leave it fails
// at once, as without a network: no telemetry, no look-up of a provider's models, no trace.
import { Socket } from "node:net";
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";

const local = new Set(["127.0.0.1", "::1", "localhost"]);
const refuse = (host) => Object.assign(new Error(`${host} is not this machine`), { code: "ENETUNREACH" });

const connect = Object.getOwnPropertyDescriptor(Socket.prototype, "connect").value;
Socket.prototype.connect = function connectLocally(...args) {
  // node:net hands its own arguments on as one list.
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  const host = typeof first === "object" ? (first.host ?? "localhost") : (second ?? "localhost");
  if (typeof host === "string" && !local.has(host)) return this.destroy(refuse(host));
  return Reflect.apply(connect, this, args);
};

const lookup = dns.lookup;
dns.lookup = (host, ...rest) => {
  if (local.has(host)) return Reflect.apply(lookup, dns, [host, ...rest]);
  rest.at(-1)(refuse(host));
};
syncBuiltinESMExports();
