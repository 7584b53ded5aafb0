import { expect, it } from "vitest";
import { BerthError } from "../../lib/errors.ts";
import type { ToolContext } from "../tool.ts";
import { bashRun } from "./bash-run.ts";

/** What bash_run says when it asks for a sandbox and gets this error. */
async function told(error: BerthError) {
  const context = { signal: new AbortController().signal, sandbox: () => Promise.reject(error) };
  return await bashRun.run({ command: "true" }, context as unknown as ToolContext);
}

it("a full quota is told with the time to wait, and is worth another try", async () => {
  const error = new BerthError("sandbox_quota", "You have 5 sandboxes at work already.", {
    details: { retryAfterMs: 4_200 },
  });
  expect(await told(error)).toEqual({
    ok: false,
    errorType: "runtime",
    message: "You have 5 sandboxes at work already.",
    retryable: true,
    suggestions: ["Try again in 5 s.", "Files can be read and written meanwhile: that needs no sandbox."],
  });
  expect(await told(new BerthError("sandbox_capacity", "No room."))).toMatchObject({
    retryable: true,
    suggestions: ["Try again in a moment.", expect.any(String)],
  });
});

it("a lost sandbox is told with what the next call gets", async () => {
  expect(await told(new BerthError("sandbox_lost", "It ran out of memory.", { retryable: true }))).toEqual({
    ok: false,
    errorType: "runtime",
    message: "The sandbox was lost: It ran out of memory. What the command did until then is not known.",
    retryable: true,
    suggestions: [
      "Call the tool again: it gets a new sandbox with the same files. Background processes of the old one have ended.",
    ],
  });
});

it("where there are none nobody is told to try again", async () => {
  expect(await told(new BerthError("sandbox_unavailable", "Install bubblewrap."))).toEqual({
    ok: false,
    errorType: "runtime",
    message: "Install bubblewrap.",
    retryable: false,
    suggestions: [],
  });
});
