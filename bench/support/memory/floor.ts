// The floor of the memory bench: what the conversations alone take as plain objects, in a process of its own.
//   floor.ts <sessions> <turns of each>; sends the bytes that each session takes
import { question } from "../turns/direct.ts";

const [sessions = 0, turns = 0] = process.argv.slice(2).map(Number);
const answer = Array.from({ length: 20 }, (_, i) => ` token${i}`).join("");

async function held(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A text of its own, as one that came over the wire. */
const copy = (text: string) => JSON.parse(JSON.stringify(text)) as string;

const before = await held();
const all = new Map<string, readonly object[]>();
for (let i = 0; i < sessions; i++) {
  const messages = Array.from({ length: turns }, (_, turn) => [
    { seq: 2 * turn, role: "user", content: copy(question) },
    { seq: 2 * turn + 1, role: "assistant", content: copy(answer) },
  ]).flat();
  all.set(`ses_${i}`, messages);
}
const bytes = ((await held()) - before) / all.size;
process.send?.(bytes, () => process.disconnect?.());
