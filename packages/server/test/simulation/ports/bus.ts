import type { AnnouncedInput, Announcements } from "../../../src/coordination/announcements.ts";
import type { Bus } from "../../../src/coordination/bus.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import type { Life } from "../engine/life.ts";
import type { Network } from "./network.ts";

type Call = (frame: unknown) => unknown;

interface Listener {
  readonly life: Life;
  readonly call: Call;
}

/** Who listens and who answers, in all processes. */
export class Switchboard {
  readonly listeners = new Map<string, Set<Listener>>();
  readonly answerers = new Map<string, Set<Listener>>();
  /** Workers that take announcements, by id. */
  readonly announced = new Map<
    string,
    { readonly life: Life; readonly call: (input: AnnouncedInput) => void }
  >();
}

/** Announcements go over the network here, so that they come before, with and after the commit that they tell of, twice, or never. */
export function announcementsOf(board: Switchboard, network: Network, life: Life): Announcements {
  return {
    tell(workerId, input) {
      const listener = board.announced.get(workerId);
      if (life.dead || listener === undefined) return;
      network.carry(listener.life, "announcement", () => {
        if (!listener.life.dead) listener.call(input);
      });
    },
    listen(workerId, call) {
      board.announced.set(workerId, { life, call });
      const remove = () => {
        forget();
        board.announced.delete(workerId);
      };
      const forget = life.atEnd(remove);
      return remove;
    },
  };
}

/** The bus as one life of a process has it: at once within it, over the network to the others. */
export function busOf(board: Switchboard, network: Network, life: Life): Bus {
  function add(places: Map<string, Set<Listener>>, topic: string, call: Call): () => void {
    const listener = { life, call };
    const there = places.get(topic) ?? new Set();
    places.set(topic, there.add(listener));
    const remove = () => {
      forget();
      there.delete(listener);
      if (there.size === 0 && places.get(topic) === there) places.delete(topic);
    };
    const forget = life.atEnd(remove);
    return remove;
  }

  function join(places: Map<string, Set<Listener>>, topic: string, call: Call) {
    return life.call("subscribe", () => {
      if (life.dead) throw new BerthError("bus_closed", "the process is gone", { retryable: true });
      return add(places, topic, call);
    });
  }

  function ask(topic: string, question: unknown, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve) => {
      if (life.dead) return;
      const there = [...(board.answerers.get(topic) ?? [])];
      if (there.length === 0) return void life.timer(0.5, () => resolve(null));
      const timer = life.timer(timeoutMs, () => resolve(null));
      let open = there.length;
      const hear = (answer: unknown) => {
        open -= 1;
        if (answer === null && open > 0) return;
        timer.cancel();
        resolve(answer);
      };
      for (const other of there) {
        network.carry(other.life, "question", () => {
          const tell = (answer: unknown) => {
            if (!other.life.dead) network.carry(life, "answer", () => hear(answer ?? null));
          };
          // Who fails to answer is taken for one who has none.
          new Promise((answered) => answered(other.call(question))).then(tell, () => tell(null));
        });
      }
    });
  }

  return {
    publish(topic, frame) {
      if (life.dead) return;
      for (const listener of board.listeners.get(topic) ?? []) {
        if (listener.life === life) listener.call(frame);
        else {
          network.carry(listener.life, "frame", () => {
            if (board.listeners.get(topic)?.has(listener)) listener.call(frame);
          });
        }
      }
    },
    subscribe: (topic, call) => join(board.listeners, topic, call),
    answer: (topic, call) => join(board.answerers, topic, call),
    ask,
    async close() {},
  };
}
