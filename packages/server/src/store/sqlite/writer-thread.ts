// The one place that writes to the database and waits for its disk. Started by writer.ts.
import { parentPort, workerData } from "node:worker_threads";
import { BerthError } from "../../lib/errors.ts";
import { armFailpoint } from "../../lib/failpoint.ts";
import { plainError, runBatch, startWriting } from "./batch.ts";
import { type Connection, openForWriting } from "./connection.ts";
import type { ThreadOptions } from "./protocol.ts";
import { type FromThread, packReplies, type ToThread, unpackBatch } from "./wire.ts";

const port = parentPort;
if (port === null) throw new BerthError("internal", "writer-thread.ts must be started as a worker thread");
const options = workerData as ThreadOptions;
const answer = (message: FromThread) => port.postMessage(message);

function open(): Connection | null {
  try {
    armFailpoint(options.failpoint);
    const connection = openForWriting(options.path);
    answer({ type: "ready" });
    return connection;
  } catch (thrown) {
    answer({ type: "failed", error: plainError(thrown) });
    return null;
  }
}

const connection = open();
if (connection === null) port.close();
else {
  const writing = startWriting(connection);
  port.on("message", (message: ToThread) => {
    if (message === null) {
      connection.close();
      port.close();
      return;
    }
    const calls = unpackBatch(message);
    const { replies, commitMs } = runBatch(writing, calls, message.time);
    answer({ type: "batch", replies: packReplies(calls, replies), commitMs, failing: writing.failing });
  });
}
