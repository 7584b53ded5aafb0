import { Script } from "node:vm";
import { expect, it } from "vitest";
import { agentScript } from "./agent-script.ts";

it("is one program without imports, exports and types that is small enough to start at once", async () => {
  const script = await agentScript();
  // Throws where two files have the same name for two things.
  expect(() => new Script(script)).not.toThrow();
  expect(script).not.toMatch(/^(import|export) /m);
  expect(script.length).toBeLessThan(40_000);
  expect(await agentScript()).toBe(script);
});
