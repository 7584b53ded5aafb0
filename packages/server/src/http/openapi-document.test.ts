import { join } from "node:path";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, it } from "vitest";
import { apiDocument } from "./openapi-document.ts";
import { endpoints } from "./routes.ts";

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
  readonly security: readonly unknown[];
}

const text = apiDocument(endpoints);
const document = JSON.parse(text) as Document;

describe("the OpenAPI document", () => {
  it("passes the recommended rules of a linter", async () => {
    // Browsers that log in are redirected, there and back.
    const rules = { "operation-2xx-response": "off" } as const;
    const config = await createConfig({ extends: ["recommended"], rules });
    const problems = await lintFromString({ source: text, config });
    const told = problems.map(({ severity, ruleId, message, location }) => {
      return `${severity} ${ruleId}: ${message} ${location[0]?.pointer ?? ""}`;
    });
    expect(told).toEqual([]);
  });

  it("has every route of the table, under its own name", () => {
    for (const { path, method, id } of endpoints) {
      expect([path, document.paths[path]?.[method]?.operationId]).toEqual([path, id]);
    }
    expect(new Set(endpoints.map(({ id }) => id)).size).toBe(endpoints.length);
  });

  it("names every parameter of each path", () => {
    for (const { path, method } of endpoints) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = document.paths[path]?.[method]?.parameters?.filter((one) => one.in === "path") ?? [];
      expect([path, ...described.map(({ name }) => name)]).toEqual([path, ...inPath]);
    }
  });

  it("lists Idempotency-Key where it counts, and not where a repetition is done again", () => {
    const lists = (path: string) =>
      document.paths[path]?.["post"]?.parameters?.some(({ name }) => name === "Idempotency-Key") ?? false;
    expect(lists("/api/v1/sessions")).toBe(true);
    const ofSandbox = ["exec", "processes", "processes/{processId}/input", "ports"];
    for (const rest of ofSandbox)
      expect([rest, lists(`/api/v1/sandboxes/{sandboxId}/${rest}`)]).toEqual([rest, false]);
  });

  it("says that all but the open routes need a key", () => {
    const open = endpoints.filter(({ access }) => access === "open").map(({ path }) => path);
    expect(open.toSorted()).toEqual([
      "/",
      "/api/v1/invitations/accept",
      "/api/v1/login",
      "/api/v1/login/methods",
      "/api/v1/login/oidc/{provider}",
      "/api/v1/login/oidc/{provider}/callback",
      "/api/v1/openapi.json",
      "/healthz",
      "/readyz",
    ]);
    for (const { path, method, access } of endpoints) {
      const operation = document.paths[path]?.[method];
      const needsKey = access !== "open";
      const mayLack = operation?.responses["401"]?.description.includes("`unauthenticated`") ?? false;
      expect([path, (operation?.security.length ?? 0) > 0, mayLack]).toEqual([path, needsKey, needsKey]);
    }
  });

  it("is the one that is kept in the documentation", async () => {
    const kept = join(import.meta.dirname, "../../../../docs/reference/openapi.json");
    await expect(text).toMatchFileSnapshot(kept);
  });
});
