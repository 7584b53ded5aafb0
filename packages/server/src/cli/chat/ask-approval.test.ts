import { describe, expect, it } from "vitest";
import { createTestTerminal } from "../../../test/support/test-terminal.ts";
import { createPrinter } from "../terminal/io.ts";
import { askApproval } from "./ask-approval.ts";
import { createLineReader } from "./line-reader.ts";

const request = {
  approvalId: "apr_1",
  toolUseId: "tlu_1",
  name: "bash_run",
  input: { command: "ls" },
  inputHash: "0".repeat(64),
  expiresAt: "2030-01-01T00:00:00Z",
  path: ["assistant", "helper"],
  namespace: "helper-1",
};

function ask(input: unknown = request.input, signal = new AbortController().signal) {
  const terminal = createTestTerminal({ isTTY: true });
  const lines = createLineReader(terminal.io);
  const printer = createPrinter(terminal.io, { color: false });
  const decision = askApproval({ ...request, input }, { printer, lines, signal }).finally(() =>
    lines.close(),
  );
  return { terminal, decision };
}

describe("asking for an approval", () => {
  it.each([
    ["y", { decision: "allow" }],
    ["YES", { decision: "allow" }],
    ["n", { decision: "deny" }],
    ["no not on  Fridays ", { decision: "deny", note: "not on  Fridays" }],
  ])("takes %s", async (answer, expected) => {
    const { terminal, decision } = ask();
    await terminal.until("Allow it?");
    terminal.type(`${answer}\r`);
    expect(await decision).toEqual(expected);
  });

  it("asks until it understands, and never takes silence for a yes", async () => {
    const { terminal, decision } = ask();
    for (const answer of ["", "perhaps", "yn"]) {
      await terminal.until("Allow it?");
      terminal.type(`${answer}\r`);
    }
    await terminal.until("Allow it?");
    terminal.type("n\r");
    expect(await decision).toEqual({ decision: "deny" });
  });

  it("shows the exact arguments and who asks", async () => {
    const { terminal, decision } = ask({ command: "ls\u001b[2K\u202e" });
    await terminal.until("assistant > helper wants to use bash_run");
    await terminal.until('"command": "ls\\u001b[2K\\u202e"');
    terminal.type("y\r");
    await decision;
  });

  it("edits the arguments, and asks again after what is no JSON", async () => {
    const { terminal, decision } = ask();
    await terminal.until("Allow it?");
    terminal.type("e\r");
    await terminal.until("New arguments: ");
    terminal.type("oops\r");
    await terminal.until("That is no JSON.");
    terminal.type("e\r");
    await terminal.until("New arguments: ");
    terminal.type(`\u0015${JSON.stringify({ command: "pwd" })}\r`);
    expect(await decision).toEqual({ decision: "edit", input: { command: "pwd" } });
  });

  it("gives up when somebody else decides", async () => {
    const elsewhere = new AbortController();
    const { terminal, decision } = ask(request.input, elsewhere.signal);
    await terminal.until("Allow it?");
    elsewhere.abort();
    expect(await decision).toBeUndefined();
    await terminal.until("decided elsewhere");
  });
});

describe("typed lines", () => {
  it("that were pasted, or end in a backslash, are one message", async () => {
    const terminal = createTestTerminal({ isTTY: true });
    const lines = createLineReader(terminal.io);
    const first = lines.message("> ");
    terminal.type("\u001b[200~one\rtwo\r\u001b[201~three\r");
    expect(await first).toBe("one\ntwo\nthree");
    const second = lines.message("> ");
    terminal.type("four\\\rfive\r");
    expect(await second).toBe("four\nfive");
    lines.close();
  });

  it("that were typed ahead are messages, and no answers to a question", async () => {
    const terminal = createTestTerminal({ isTTY: true });
    const lines = createLineReader(terminal.io);
    terminal.type("y\r");
    await new Promise((resolve) => setImmediate(resolve));
    const answer = lines.answer("sure? ");
    terminal.type("n\r");
    expect(await answer).toBe("n");
    expect(await lines.message("> ")).toBe("y");
    const last = lines.message("> ");
    terminal.type("\u0004");
    expect(await last).toBeNull();
    expect(await lines.message("> ")).toBeNull();
    lines.close();
  });
});

describe("what comes while a question waits", () => {
  it("is written above it, in whole lines, and what was typed stays", async () => {
    const terminal = createTestTerminal({ isTTY: true });
    const lines = createLineReader(terminal.io);
    const out = (text: string) => lines.around(text, (all) => void terminal.io.stdout.write(all));
    const answer = lines.answer("sure? ");
    terminal.type("ye");
    await terminal.until("sure? ye");
    out("one\ntw");
    await terminal.until("one\nsure? ye");
    out("o\n");
    await terminal.until("two\nsure? ye");
    out("half");
    terminal.type("s\r");
    expect(await answer).toBe("yes");
    await terminal.until("half");
    lines.close();
  });

  it("is no decision from elsewhere when the person interrupts", async () => {
    const terminal = createTestTerminal({ isTTY: true });
    const lines = createLineReader(terminal.io);
    const printer = createPrinter(terminal.io, { color: false });
    const stop = new AbortController();
    const at = { printer, lines, signal: stop.signal, interrupted: () => true };
    const decision = askApproval(request, at);
    await terminal.until("Allow it?");
    stop.abort();
    expect(await decision).toBeUndefined();
    expect(terminal.out()).not.toContain("elsewhere");
    lines.close();
  });
});
