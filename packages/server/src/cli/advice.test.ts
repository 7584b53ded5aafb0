import { BerthApiError } from "@berth/client";
import { describe, expect, it } from "vitest";
import { advised } from "./advice.ts";
import { failureOf } from "./exit.ts";

describe("what the server says, at the command line", () => {
  it.each([
    ["No provider here has the model x/y: GET /api/v1/models lists what there is.", "./berth models lists"],
    ["There is no tool a: GET /api/v1/tools lists what there is.", "./berth tools lists"],
    ["The agent bob is archived: take it out of the archive first.", "./berth agents archive bob --undo"],
    ["Session ses_1 is archived: take it out of the archive first.", "./berth sessions archive ses_1 --undo"],
  ])("%s", (message, command) => {
    expect(advised(message)).toContain(command);
    expect(advised(message)).not.toContain("/api/");
  });

  it("is a sentence before the next one begins", () => {
    const detail = "There is no key: send the key as `Authorization: Bearer KEY` or as `X-API-Key: KEY`";
    const { message } = failureOf(new BerthApiError(401, { detail, code: "unauthenticated" }));
    expect(message).toBe("There is no key. Set BERTH_API_KEY.");
    const login = new BerthApiError(401, { detail: "This password opens nothing.", code: "login_refused" });
    expect(failureOf(login).message).toBe("This password opens nothing.");
  });

  it("names a single wrong field once, and each of several", () => {
    const one = { pointer: "/name", detail: "is too long" };
    const two = { pointer: "/model", detail: "is missing" };
    const single = new BerthApiError(422, {
      detail: "The body is not valid at /name: is too long.",
      errors: [one],
    });
    expect(failureOf(single).message).toBe("The body is not valid at /name: is too long.");
    const both = new BerthApiError(422, { detail: "The body is not valid.", errors: [one, two] });
    expect(failureOf(both).message.split("\n")).toHaveLength(3);
  });
});
