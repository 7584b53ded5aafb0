import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { normalAddress } from "../../lib/addresses.ts";
import type { ResolvedAddress } from "../../lib/checked-addresses.ts";
import type { Clock } from "../../lib/clock.ts";

export interface Dial {
  readonly host: string;
  readonly port: number;
  /** Those that were checked: no others are dialled, whatever the name stands for by now. */
  readonly addresses: readonly ResolvedAddress[];
  /** With the certificate verified for the host. */
  readonly tls: boolean;
  readonly authorities: string | undefined;
  readonly clock: Clock;
  readonly connectMs: number;
  readonly signal: AbortSignal;
}

/** Rejects when no connection stands in time; the error is of no use to the sandbox, but `DialTimeout` and `NoTls` say which it was. */
export async function dial(options: Dial): Promise<{ readonly socket: Socket; readonly address: string }> {
  const { clock, connectMs, signal, tls } = options;
  const socket = tls ? openTls(options) : connect(placeOf(options));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = clock.after(connectMs, () => socket.destroy(new DialTimeout()));
  const onAbort = () => socket.destroy(new Error("nobody waits for it"));
  socket.once(tls ? "secureConnect" : "connect", resolve);
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("closed")));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await promise;
    const address = normalAddress(socket.remoteAddress ?? "") ?? "";
    if (options.addresses.some((one) => normalAddress(one.address) === address)) return { socket, address };
    throw new Error("connected to an address that was not checked");
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw tls && isNoTls(error) ? new NoTls() : error;
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

export class DialTimeout extends Error {}

/** Who answered speaks something else. */
export class NoTls extends Error {}

/** What OpenSSL says of bytes that are no TLS; alerts and certificates that are not taken are. */
const otherWords: readonly string[] = [
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_RECORD_LAYER_FAILURE",
  "ERR_SSL_UNEXPECTED_MESSAGE",
];

function isNoTls(error: unknown): boolean {
  return error instanceof Error && "code" in error && otherWords.includes(String(error.code));
}

function openTls(options: Dial): Socket {
  const { host, authorities } = options;
  return connectTls({
    ...placeOf(options),
    ...(isIP(host) === 0 && { servername: host }),
    ...(authorities !== undefined && { ca: authorities }),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: true,
  });
}

function placeOf({ host, port, addresses }: Dial) {
  const lookup: LookupFunction = (_host, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? "", first?.family);
  };
  return { host, port, lookup, autoSelectFamily: true, allowHalfOpen: true };
}
