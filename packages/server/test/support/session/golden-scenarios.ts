import type { InputBody, SessionEvent } from "@berth/contract";
import { stubPlan, tokensAfter } from "../../../src/session/context-window.ts";
import { approvalIdOf, type Block } from "../../../src/session/decide-step.ts";
import { finishRun } from "../../../src/session/decide-run.ts";
import { placeOf, stamp } from "../../../src/session/new-event.ts";
import { root } from "../../../src/session/state.ts";
import { Driver } from "./driver.ts";
import { gives, goOn, message, says, send } from "./golden-moves.ts";
import { hashOf, idOf, isoAt } from "./ids.ts";
import { budgetReached, call, client, delegation, helper, person, spent } from "./story.ts";

const thinking: Block = { blockId: 0, type: "thinking", text: "They want a file.", signature: "c2ln" };

function plainTurn(driver: Driver): void {
  send(driver, message("What is a berth?"));
  says(driver, root, thinking, { blockId: 1, type: "text", text: "A place where a ship lies." });
  send(driver, message("And a dock?"));
  says(driver, root, "Where it is loaded.");
}

function toolAndApproval(driver: Driver): void {
  const decide = (number: number, change: object) =>
    ({ type: "user.approval", approvalId: approvalIdOf(idOf("toolUse", number)), ...change }) as InputBody;
  send(driver, message("Tidy up, please."));
  says(
    driver,
    root,
    "I look first.",
    call(1),
    call(2, { effect: "once", permission: "ask", rule: "mode approval" }),
    call(3, client),
  );
  gives(driver, 1, "a.txt\nb.txt");
  send(driver, [decide(2, { decision: "edit", input: { path: "/b.txt" }, note: "only b" }), "control"]);
  gives(driver, 2, "deleted");
  send(driver, [
    { type: "user.tool_result", toolUseId: idOf("toolUse", 3), content: "shown", ok: true },
    "control",
  ]);
  says(
    driver,
    root,
    call(4, { effect: "once", permission: "ask" }),
    call(5, { permission: "deny", rule: "deny bash_run" }),
    call(6, { kind: "unknown", invalid: "There is no tool tool_6." }),
    call(7, { ...client, permission: "ask" }),
  );
  send(driver, [decide(4, { decision: "deny", note: "keep it" }), "control"]);
  driver.now += 120_000;
  driver.fireTimers();
  goOn(driver);
  send(driver, [decide(4, { decision: "allow" }), "control"]);
  says(driver, root, "Done.");
}

function subAgents(driver: Driver): void {
  const to = { ...delegation, input: { agent: helper.name } };
  send(driver, message("Compare the two."));
  says(driver, root, call(1, to), call(2, to), call(3, { ...delegation, input: { agent: "nobody" } }));
  says(driver, "helper-1", "I need help.", call(4, to));
  says(driver, "helper-2", call(5, { effect: "once" }));
  gives(driver, 5, "sent");
  says(driver, "helper-2", "The second is longer.");
  says(driver, "helper-1/helper-3", "Nothing to find.");
  says(driver, "helper-1", "The first is shorter.");
  says(driver, root, "The second one.");
}

function compaction(driver: Driver): void {
  for (const text of ["one", "two", "three"]) {
    send(driver, message(`${text} ${"long ".repeat(60)}`));
    says(driver, root, `about ${text} ${"and on ".repeat(40)}`, call(driver.raw.length));
    gives(driver, Number([...driver.running][0]?.slice(4)), "out ".repeat(100));
    const at = driver.state.namespaces[root];
    if (at === undefined) continue;
    const tokensBefore = at.tokens.reported + at.tokens.since;
    const stubs = text === "two" ? stubPlan(at) : null;
    if (stubs !== null) {
      driver.add([
        {
          type: "context.compacted",
          data: { ...stubs, tokensBefore, tokensAfter: tokensAfter(at, stubs, 0) },
        },
      ]);
    } else if (text === "three") {
      const plan = {
        method: "summary",
        keptFromSeq: [...at.items].findLast((item) => item.kind === "user")?.seq ?? 1,
      } as const;
      const summary = { summary: "They counted to three.", usage: spent(300, 20), cost: 0.003 };
      driver.add([
        {
          type: "context.compacted",
          data: { ...plan, ...summary, tokensBefore, tokensAfter: tokensAfter(at, plan, 6) },
        },
      ]);
    }
    goOn(driver);
    says(driver, root, `that was ${text}`);
  }
}

function rewinds(driver: Driver): void {
  send(driver, message("one"));
  says(driver, root, "1");
  const first = driver.raw.length;
  send(driver, message("two"));
  says(driver, root, "2");
  send(
    driver,
    [{ type: "session.rewind", toSeq: first }, "control"],
    [{ type: "session.rewind", toSeq: first + 1 }, "control"],
  );
  send(driver, message("three"));
  says(driver, root, call(1, { effect: "once" }));
  send(driver, message("four", "rollback"));
  says(driver, root, "4");
  send(driver, message("five"));
  says(driver, root, call(2));
  gives(driver, 2, "x");
  send(driver, [{ type: "session.rewind", toSeq: driver.raw.length - 1 }, "control"]);
}

/** A fork in the middle of a run, while a call is open: the run ends in the fork. */
function forkPrefix(): Driver {
  const parent = new Driver();
  plainTurn(parent);
  send(parent, message("Show me one."));
  says(parent, root, call(1), call(2));
  gives(parent, 1, "a picture");
  const cut = parent.raw.length;
  const state = parent.stateAt(cut);
  const data = {
    fromSessionId: state.sessionId,
    fromSeq: cut,
    owner: person.id,
    title: "Another try",
    manifest: hashOf(8),
    files: "exact",
  } as const;
  const place = { ...placeOf(state), sessionId: idOf("session", 2), runId: null };
  const at = isoAt(parent.now);
  const forked = stamp(place, [{ type: "session.forked", actor: person, data }], at);
  const ended = finishRun(state, { reason: "interrupted", now: parent.now });
  const closing = stamp({ ...place, seq: cut + 1, runId: state.run?.id ?? null }, ended, at);
  const driver = new Driver({ log: [...parent.raw.slice(0, cut), ...forked, ...closing] });
  driver.now = parent.now;
  send(driver, message("Show me another."));
  says(driver, root, "Here it is.");
  return driver;
}

function crashRecovery(driver: Driver): void {
  send(driver, message("Send it."));
  driver.crash();
  says(driver, root, call(1), call(2, { effect: "once" }));
  gives(driver, 1, "read");
  driver.crash();
  goOn(driver);
  says(driver, root, "I do not know whether it was sent.");
}

function everythingElse(driver: Driver): void {
  const error = { code: "overloaded", message: "The model is overloaded.", retryable: true };
  send(
    driver,
    [{ type: "session.update", title: "Notes", metadata: { ticket: "7" }, model: "test/other" }, "control"],
    [
      { type: "todo.write", todos: [{ id: "1", content: "Write it down.", status: "in_progress" }] },
      "control",
    ],
    [{ type: "file.write", path: "/in.csv", hash: hashOf(9), size: 12, mediaType: "text/csv" }, "control"],
    [{ type: "file.move", path: "/in.csv", to: "/old.csv" }, "control"],
    [{ type: "file.delete", path: "/old.csv" }, "control"],
    [
      {
        type: "user.message",
        content: [
          { type: "text", text: "Look:" },
          { type: "image", mediaType: "image/png", blob: { hash: hashOf(5), size: 9 } },
        ],
        onBusy: "enqueue",
      },
      "queue",
    ],
  );
  driver.add([
    { type: "model.retried", data: { model: "test/model", attempt: 1, error, delayMs: 500 } },
    { type: "model.fell_back", data: { from: "test/model", to: "test/other", error } },
  ]);
  const given = {
    allocationStrategy: "Session-Exclusive",
    provider: "bubblewrap",
    isolation: "namespace",
  } as const;
  driver.add([
    { type: "sandbox.released", data: { sandboxId: idOf("sandbox", 1), reason: "idle_ttl" } },
    { type: "sandbox.allocated", data: { sandboxId: idOf("sandbox", 2), ...given, warm: true, ms: 7.5 } },
  ]);
  says(driver, root, "I see.", call(1, { permission: "ask" }));
  driver.now += 120_000;
  driver.fireTimers();
  send(driver, message("Faster.", "steer"), [
    { type: "system.message", content: "The page was closed." },
    "steer",
  ]);
  says(driver, root, "A line");
  send(driver, message("And then?"));
  driver.accept({ type: "user.interrupt", reason: "That is enough." });
  const stepId = driver.thinking.get(root) ?? "";
  driver.take([
    { namespace: root, messageId: stepId.replace(/^stp_/, "msg_"), blockId: 0, text: "Half a sent" },
  ]);
  driver.add([{ type: "error", data: error }]);
  send(driver, [{ type: "run.retry", runId: driver.state.lastRun?.id ?? "" }, "queue"]);
  send(driver, [{ type: "session.archive", archived: true }, "control"]);
  send(driver, message("Hello?"));
  send(driver, [{ type: "session.archive", archived: false }, "control"]);
}

/** Told of a budget, stopped by it, let go on by a raise, by a new day and by a cancel. */
function budgets(driver: Driver): void {
  const warned = { level: "share", budget: noticeOf(budgetReached({ spent: 4.2 })) } as const;
  const reach = (change: Parameters<typeof budgetReached>[0]) => {
    driver.accept({ type: "user.message", content: "Go on.", onBusy: "enqueue" }, "queue");
    driver.take();
    driver.pause(change?.resetsAt ?? null);
    goOn(driver);
  };
  send(driver, message("Count your tokens."));
  driver.add([{ type: "budget.warned", data: warned }]);
  says(driver, root, "Nearly all are gone.");
  reach({});
  send(driver, [{ type: "budget.released", cause: "changed", budgetId: idOf("budget", 1) }, "control"]);
  says(driver, root, "More came.");
  reach({ resetsAt: isoAt(driver.now + 60_000) });
  driver.now += 120_000;
  driver.fireTimers();
  goOn(driver);
  says(driver, root, "It is another day.");
  reach({});
  send(driver, [{ type: "user.interrupt" }, "control"]);
  send(driver, [{ type: "budget.released", cause: "removed", budgetId: idOf("budget", 1) }, "control"]);
}

/** Uploads and moves before and after a rewind, and one that a tool's work came between. */
function files(driver: Driver): void {
  const upload = (path: string, number: number) =>
    send(driver, [{ type: "file.write", path, hash: hashOf(number), size: number }, "control"]);
  upload("a", 3);
  upload("d/b", 4);
  const uploaded = driver.raw.length;
  send(driver, [{ type: "file.move", path: "d", to: "e" }, "control"]);
  send(driver, [{ type: "file.delete", path: "a" }, "control"]);
  send(driver, [{ type: "session.rewind", toSeq: uploaded }, "control"]);
  send(driver, [{ type: "file.move", path: "made/before", to: "c" }, "control"]);
  send(driver, message("Write it."));
  says(driver, root, call(1, { effect: "idempotent" }));
  gives(driver, 1, "written");
  says(driver, root, "Written.");
  upload("late", 5);
  send(driver, [{ type: "session.rewind", toSeq: driver.raw.length - 1 }, "control"]);
}

const noticeOf = ({ data }: ReturnType<typeof budgetReached>) => {
  const [notice] = data.budgets;
  if (notice === undefined) throw new Error("a budget is reached without one");
  return notice;
};

/** Plays a scenario on a fresh session. */
const fresh = (scenario: (driver: Driver) => void) => (): readonly SessionEvent[] => {
  const driver = new Driver();
  scenario(driver);
  return driver.raw;
};

/** Logs worth keeping of every version, by name. */
export const goldenScenarios: Readonly<Record<string, () => readonly SessionEvent[]>> = {
  "plain-turn": fresh(plainTurn),
  "tool-and-approval": fresh(toolAndApproval),
  "sub-agents": fresh(subAgents),
  compaction: fresh(compaction),
  rewind: fresh(rewinds),
  "fork-prefix": () => forkPrefix().raw,
  "crash-recovery": fresh(crashRecovery),
  "everything-else": fresh(everythingElse),
  budgets: fresh(budgets),
  files: fresh(files),
};
