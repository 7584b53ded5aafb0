import { problem } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { BerthError } from "../lib/errors.ts";
import { silentTelemetry } from "../telemetry/telemetry.ts";
import { errorResponse } from "./error-response.ts";

async function answer(thrown: unknown) {
  const telemetry = silentTelemetry();
  const response = errorResponse(thrown, { requestId: "req-1", telemetry });
  const body = problem.parse(await response.json());
  const logged = /berth_unexpected_errors_total\{where="http"\} 1/.test(await telemetry.metrics.text());
  return { body, headers: response.headers, logged };
}

describe("errorResponse", () => {
  it("turns a known code into its status, with everything that the caller can use", async () => {
    const details = { errors: [{ pointer: "/a", detail: "b" }], limit: 7 };
    const { body, headers, logged } = await answer(
      new BerthError("mailbox_full", "Wait.", { retryable: true, details }),
    );
    expect(body).toEqual({
      type: "urn:berth:problem:mailbox_full",
      title: "Too many",
      status: 429,
      detail: "Wait.",
      code: "mailbox_full",
      requestId: "req-1",
      retryable: true,
      errors: [{ pointer: "/a", detail: "b" }],
      details: { limit: 7 },
    });
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(headers.get("retry-after")).toBe("1");
    expect(logged).toBe(false);
  });

  it.each([
    new BerthError("never_heard_of", "CANARY"),
    new Error("CANARY"),
    "CANARY",
    new BerthError("internal", "CANARY"),
  ])("logs what it does not know and keeps it from the caller", async (thrown) => {
    const { body, logged } = await answer(thrown);
    expect(body).toMatchObject({ status: 500, code: "internal" });
    expect(JSON.stringify(body)).not.toContain("CANARY");
    expect(logged).toBe(true);
  });

  it("says how to authenticate and which methods there are", async () => {
    const unknown = await answer(new BerthError("unauthenticated", "Send a key."));
    expect(unknown.headers.get("www-authenticate")).toBe('Bearer realm="berth"');
    const method = await answer(new BerthError("method_not_allowed", "No.", { details: { allow: "GET" } }));
    expect(method.headers.get("allow")).toBe("GET");
  });
});
