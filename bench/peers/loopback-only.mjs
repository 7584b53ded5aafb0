// Preloaded into every peer: a process whose figures are taken reaches this machine and nothing else. Whatever would leave it is
// refused, as where nothing listens: no telemetry, no look-up of a provider's models, no trace.
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";

const local = new Set(["127.0.0.1", "::1", "localhost"]);
/** The discard service: nobody has it. */
const nowhere = { host: "127.0.0.1", port: 9 };

const connect = Object.getOwnPropertyDescriptor(Socket.prototype, "connect").value;
Socket.prototype.connect = function connectLocally(...args) {
  // node:net hands its own arguments on as one list.
  const given = Array.isArray(args[0]) ? args[0] : args;
  const [first, second] = given;
  const isOptions = typeof first === "object";
  const host = isOptions ? first.host : second;
  if (typeof host === "string" && !local.has(host)) {
    if (isOptions) Object.assign(first, nowhere);
    else given.splice(0, 2, nowhere.port, nowhere.host);
  }
  return Reflect.apply(connect, this, args);
};

const lookup = dns.lookup;
dns.lookup = (host, ...rest) => {
  if (local.has(host)) return Reflect.apply(lookup, dns, [host, ...rest]);
  rest.at(-1)(Object.assign(new Error(`${host} is not this machine`), { code: "ENOTFOUND" }));
};
syncBuiltinESMExports();
