import { Duplex } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { charge } from "./agent/frames.ts";
import { proxyPort } from "./agent/ports.ts";
import type { AgentConnection } from "./agent-connection.ts";

const maxOpen = 64;
/** For a program that listens and takes nobody in. */
const connectMs = 10_000;

/** The connections into one sandbox. */
export function createPorts(connection: AgentConnection, clock: Clock) {
  let count = 0;
  return {
    /** Connects to a port of the sandbox's loopback. Rejects with `port_refused`, and with `sandbox_busy` when there are too many. */
    async open(port: number): Promise<Duplex> {
      if (count >= maxOpen) throw tooMany();
      count++;
      try {
        const stream = await openPort({ connection, clock, port });
        stream.once("close", () => count--);
        return stream;
      } catch (thrown) {
        count--;
        throw thrown;
      }
    },
  };
}

interface PortSpec {
  readonly connection: AgentConnection;
  readonly clock: Clock;
  readonly port: number;
}

async function openPort({ connection, clock, port }: PortSpec): Promise<Duplex> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535 || port === proxyPort) throw refused();
  const started = Promise.withResolvers<void>();
  let unused = 0;
  let sawEof = false;

  const channel = connection.open(
    { type: "connect", port },
    {
      started: started.resolve,
      failed: () => started.reject(refused()),
      data(chunk) {
        unused += charge(chunk.length);
        // A copy: the chunk may be a small part of something large.
        if (stream.push(Buffer.from(chunk))) credit();
      },
      eof() {
        sawEof = true;
        stream.push(null);
      },
      end: gone,
      lost() {
        started.reject(connection.ended);
        gone();
      },
    },
  );
  const stream = new Duplex({
    allowHalfOpen: true,
    read: credit,
    write: (chunk: Buffer, _encoding, done) => void channel.send(chunk).then(() => done(), done),
    final(done) {
      channel.sendEof();
      done();
    },
    destroy(error, done) {
      channel.close();
      done(error);
    },
  });

  function credit(): void {
    if (unused === 0) return;
    channel.used(unused);
    unused = 0;
  }

  function gone(): void {
    if (!sawEof) stream.destroy(new BerthError("port_closed", "The connection into the sandbox broke."));
    else if (stream.readableEnded) stream.destroy();
    else stream.once("end", () => stream.destroy());
  }

  // Until whoever asked has it, there is nobody to hear of its end.
  const ignore = () => undefined;
  stream.on("error", ignore);
  const deadline = clock.after(connectMs, () => started.reject(refused()));
  try {
    await started.promise;
  } catch (thrown) {
    stream.destroy();
    throw thrown;
  } finally {
    deadline.cancel();
  }
  stream.off("error", ignore);
  return stream;
}

function refused(): BerthError {
  return new BerthError("port_refused", "Nothing listens on this port in the sandbox.");
}

function tooMany(): BerthError {
  const message = `${maxOpen} connections into the sandbox are open already; close one of them first.`;
  return new BerthError("sandbox_busy", message, { retryable: true });
}
