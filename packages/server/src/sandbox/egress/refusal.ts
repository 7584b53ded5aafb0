import type { EgressReason } from "../egress-decision.ts";

/** What the sandbox is told. */
export function refusalOf(
  reason: EgressReason,
  place: string,
): { readonly status: number; readonly text: string } {
  switch (reason) {
    case "not_listed":
      return say(
        403,
        `${place} is not among the hosts that this sandbox may reach. The agent's definition names them (sandbox.egress).`,
      );
    case "port_not_listed":
      return say(403, `This port of ${place} is not among those that this sandbox may reach.`);
    case "address_refused":
      return say(
        403,
        `${place} is not a public address, and only those can be reached from here, unless the operator permits more.`,
      );
    case "userinfo":
      return say(
        400,
        "Leave user name and password out of the address, and send an Authorization header instead.",
      );
    case "bad_target":
      return say(400, "Ask for CONNECT host:port, or for a whole address that begins with http://.");
    case "host_mismatch":
      return say(400, "The Host header names another host than the address.");
    case "upgrade":
      return say(400, "Connections are not upgraded here: open a tunnel with CONNECT.");
    case "too_many_connections":
      return say(503, "This sandbox has too many connections open: wait until some have ended.");
    case "unresolved":
      return say(502, `${place} has no address.`);
    case "unreachable":
      return say(502, `${place} could not be reached.`);
    case "no_tls":
      return say(
        502,
        `${place} could not be reached: requests to hosts of secrets leave as https, and it did not speak TLS on that port.`,
      );
    case "timeout":
      return say(504, `${place} did not answer in time.`);
    case "policy_changed":
      return say(403, `${place} may no longer be reached.`);
    case "bad_request":
    case "secret_elsewhere":
    case "allowed":
      return say(400, "This is no request that the proxy passes on.");
  }
}

/** A whole answer, for a connection that ends with it. */
export function refusalBytes(status: number, text: string): string {
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
  ];
  return `${lines.join("\r\n")}\r\n\r\n${text}`;
}

function say(status: number, text: string): { status: number; text: string } {
  return { status, text: `Berth: ${text}\n` };
}
