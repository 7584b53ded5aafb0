import type { CreateSessionReply } from "@berth/contract";
import { codeOf } from "../../../support/server/api.ts";
import { quickText } from "../script.ts";
import { Talk } from "../talk.ts";
import type { World } from "../world.ts";
import { type Activity, scripted } from "./activity.ts";

const keepingRules = {
  upload: "a file that was uploaded is in the workspace",
  removal: "a file that was uploaded can be deleted",
  key: "one key has one session, however many ask for it at once",
  archive: "an archived session takes no message, and takes one again after",
  todos: "todos that were put are there",
} as const;

const upload: Activity = {
  name: "uploads",
  weight: 3,
  reaches: ["blob.before-write", "blob.before-rename", "blob.after-rename"],
  async run(talk) {
    const { random, world, id } = talk;
    const name = `uploads/${world.ledger.word("f")}.bin`;
    const text = world.ledger.word("upload").repeat(random.int(1, 2_000));
    const path = `/sessions/${id}/files/${name}`;
    const { reply } = await world.caller.call({ method: "PUT", path, bytes: Buffer.from(text) });
    if (reply.status !== 200) return;
    const { reply: got } = await world.caller.call({ method: "GET", path });
    const same = Buffer.from(got.bytes).toString("utf8") === text;
    const story = () => `${name}: ${got.status}, ${got.bytes.length} of ${text.length} bytes`;
    world.checklist.check(keepingRules.upload, same, story, id);
    if (!random.chance(0.3)) return;
    const { reply: gone, attempts } = await world.caller.call({ method: "DELETE", path });
    // A server that died between the removal and its commit removes again, and finds nothing.
    const again = attempts > 1 && gone.status === 404;
    // What was under way at several deaths is put aside; that it was is a rule of its own.
    const putAside = attempts > 1 && codeOf(gone) === "quarantined";
    const done = gone.status === 204 || gone.status === 202 || again || putAside;
    world.checklist.check(keepingRules.removal, done, () => `${name}: ${gone.status} ${codeOf(gone)}`, id);
  },
};

const rename: Activity = {
  name: "renames",
  weight: 2,
  async run(talk) {
    const { world, id } = talk;
    const title = world.ledger.word("title");
    const { reply } = await world.caller.call({ method: "PATCH", path: `/sessions/${id}`, body: { title } });
    if (reply.status === 200 || reply.status === 202) world.ledger.titles.set(id, title);
  },
};

const todos: Activity = {
  name: "todos by hand",
  weight: 1,
  async run(talk) {
    const { world, id } = talk;
    const list = [{ id: "a", content: world.ledger.word("todo"), status: "pending" }];
    const path = `/sessions/${id}/todos`;
    const { reply } = await world.caller.call({ method: "PUT", path, body: { todos: list } });
    if (reply.status !== 200) return;
    const { reply: got } = await world.caller.call({ method: "GET", path });
    const found = JSON.stringify((got.json as { todos?: unknown } | null)?.todos);
    const story = () => `put ${JSON.stringify(list)}, got ${found}`;
    world.checklist.check(keepingRules.todos, found === JSON.stringify(list), story, id);
  },
};

const archive: Activity = {
  name: "archive and back",
  weight: 2,
  async run(talk) {
    const { random, world, id } = talk;
    const running = random.chance(0.5)
      ? await talk.say([[world.once.call("sleep 0.3")], [quickText(random)]])
      : null;
    const put = (archived: boolean) =>
      world.caller.call({ method: "PATCH", path: `/sessions/${id}`, body: { archived } });
    const { reply } = await put(true);
    if (reply.status === 200) {
      const refused = await talk.say([[quickText(random)]]);
      const story = () => `got ${refused.code || "accepted"}`;
      world.checklist.check(keepingRules.archive, refused.code === "session_archived", story, id);
    }
    await put(false);
    if (running !== null) await talk.ended(running);
    const after = await talk.say([[quickText(random)]]);
    world.checklist.check(keepingRules.archive, after.input !== null, () => `then got ${after.code}`, id);
    await talk.ended(after);
  },
};

const evict: Activity = {
  name: "evictions",
  weight: 2,
  reaches: [
    "store.release.after-commit",
    "store.claim.after-commit",
    "runtime.claimed",
    "store.snapshot.after-commit",
  ],
  async run(talk) {
    const { random, world, id } = talk;
    await talk.turn([[quickText(random)]]);
    await world.caller.call({ method: "DELETE", path: `/runtime/sessions/${id}` });
    await talk.turn([[quickText(random)]]);
  },
};

/** Several ask for one key at once, each with a first message: one session, and every message is in it. */
const resumeByKey: Activity = {
  name: "resume or create",
  weight: 2,
  kinds: ["auto"],
  reaches: ["http.created.before-reply", "store.create-session.after-commit"],
  async run(talk) {
    const { random, world } = talk;
    const key = random.chance(0.5) ? `shared-${random.int(1, 3)}` : world.ledger.word("key");
    const replies = await Promise.all([1, 2, 3].map(() => createByKey(world, key)));
    const ids = new Set(replies.flatMap((reply) => reply?.id ?? []));
    world.checklist.check(keepingRules.key, ids.size <= 1, () => `${key} is ${[...ids].join(" and ")}`);
    const [id] = ids;
    if (id === undefined || world.talks.some((other) => other.id === id)) return;
    const made = new Talk(world, { id, kind: "auto" });
    for (const reply of replies) {
      if (reply?.input) await made.ended({ marker: "", input: reply.input, code: "" });
    }
    await made.unfollow();
  },
};

async function createByKey(world: World, key: string): Promise<CreateSessionReply | null> {
  const marker = world.ledger.word("mark");
  const input = `${marker} {"script":[[{"text":"${marker}"}]]}`;
  const called = await world.caller.call({
    method: "POST",
    path: "/sessions",
    body: { agent: "auto", key, input },
  });
  const { reply, sentTick, repliedTick, key: requestKey } = called;
  if (reply.status !== 200 && reply.status !== 201) return null;
  const session = reply.json as CreateSessionReply;
  if (session.input !== undefined) {
    const { id: inputId, runId } = session.input;
    const about = { sessionId: session.id, inputId, runId, type: "user.message", lane: "queue" } as const;
    world.ledger.accepted.push({ ...about, sentTick, repliedTick, index: 0, key: requestKey });
    world.ledger.markers.push({ marker, sessionId: session.id, inputId, accepted: true, code: "" });
  }
  return session;
}

export const keepingActivities: readonly Activity[] = [
  upload,
  rename,
  todos,
  archive,
  evict,
  resumeByKey,
].map((activity) => ({ kinds: scripted, ...activity }));
