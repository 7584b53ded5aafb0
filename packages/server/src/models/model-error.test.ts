import { describe, expect, it } from "vitest";
import { modelError, withoutSecrets } from "./model-error.ts";
import { errorOfFault, faultOfBody } from "./provider-error.ts";

const key = "CANARY-key/with+signs=0123456789";
const shown = (message: string) => withoutSecrets(modelError("invalid_request", message), [key]).message;

describe("AGT-05: a key that a provider quotes", () => {
  it.each([
    ["as it is", `no such key: ${key}!`, "no such key: [secret]!"],
    ["in a URL", `see ?key=${encodeURIComponent(key)}`, "see ?key=[secret]"],
    ["twice", `${key} ${key}`, "[secret] [secret]"],
  ])("is not repeated %s", (_, message, expected) => {
    expect(shown(message)).toBe(expected);
  });

  it("is not repeated where a text was cut in its middle", () => {
    for (let at = 560; at <= 600; at++) {
      const message = shown(`${"x".repeat(at)}${key} and more`);
      expect([at, message.includes(key.slice(0, 4))]).toEqual([at, false]);
    }
    for (let at = 260; at <= 300; at++) {
      const fault = faultOfBody(`${"x".repeat(at)}${key}`, 401);
      const { message } = withoutSecrets(errorOfFault(fault), [key]);
      expect([at, message.includes(key.slice(0, 4))]).toEqual([at, false]);
      expect(message).toContain("check the provider's API key");
    }
  });

  it("leaves other texts as they are", () => {
    expect(shown("CAN it be?")).toBe("CAN it be?");
    const error = modelError("timeout", "nothing to see");
    expect(withoutSecrets(error, [key, "", "abc"])).toBe(error);
  });
});
