import type { FollowEnd, Follower, FollowSink, LiveItem, LogEntry } from "../operations/follow-events.ts";
import { cursorBytes, endBytes, entryBytes, heartbeat, liveBytes } from "./sse-bytes.ts";
import type { SseWire } from "./sse-wire.ts";
import { beatMs, type StreamSettings } from "./stream-settings.ts";

/** Who ended a stream; `slow`: the server, because the client did not take its bytes. */
export type EndedBy = "client" | "server" | "slow";

/** What a stream is fed by: is told when the client has taken all, and when nobody is there any more. */
export type Feeder = Pick<Follower, "drained" | "stop" | "tellPosition">;

/** One client of an event stream. */
export class SseConnection implements FollowSink {
  readonly #settings: StreamSettings;
  readonly #onClosed: (by: EndedBy, connection: SseConnection) => void;
  #wire: SseWire | null = null;
  #follower: Feeder | null = null;
  #endedBy: EndedBy = "client";
  /** Beats since something was written, and since the client had last taken all. */
  #silent = 0;
  #stuck = 0;

  /** `onClosed` may be one function for all connections. */
  constructor(settings: StreamSettings, onClosed: (by: EndedBy, connection: SseConnection) => void) {
    this.#settings = settings;
    this.#onClosed = onClosed;
  }

  connect(wire: SseWire): void {
    this.#wire = wire;
  }

  follow(follower: Feeder): void {
    this.#follower = follower;
  }

  get unsent(): number {
    return this.#wire?.unsent ?? 0;
  }

  entry(entry: LogEntry): void {
    this.write(entryBytes(entry));
  }

  live(item: LiveItem, json: string): void {
    this.write(liveBytes(item, json));
  }

  moved(cursor: string): void {
    this.write(cursorBytes(cursor));
  }

  end(end: FollowEnd): void {
    this.close(endBytes(end));
  }

  askForDrain(): void {
    this.#wire?.afterTaken(() => {
      this.#stuck = 0;
      this.#follower?.drained();
    });
  }

  write(bytes: Uint8Array): void {
    this.#silent = 0;
    this.#wire?.write(bytes);
  }

  beat(): void {
    this.#silent += 1;
    this.#stuck = this.unsent === 0 ? 0 : this.#stuck + 1;
    if (this.#stuck * beatMs >= this.#settings.drainMs) this.cut("slow");
    else if (this.#silent * beatMs >= this.#settings.heartbeatMs) this.write(heartbeat);
  }

  /** Ends after these last bytes. */
  close(lastBytes: Uint8Array): void {
    this.#endedBy = "server";
    this.#follower?.tellPosition();
    this.#follower?.stop();
    this.write(lastBytes);
    this.#wire?.end();
  }

  cut(by: EndedBy): void {
    this.#endedBy = by;
    this.#wire?.cut();
  }

  /** The wire is gone, whoever ended it: nothing is kept. */
  gone(): void {
    if (this.#wire === null) return;
    this.#wire = null;
    this.#follower?.stop();
    this.#follower = null;
    this.#onClosed(this.#endedBy, this);
  }
}
