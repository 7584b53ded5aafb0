import { beforeAll, describe, expect, it } from "vitest";
import { endpoints } from "../../../src/http/routes.ts";
import { ask, requestFor, targetOf } from "../../support/security/ask-endpoint.ts";
import { talk } from "../../support/security/talk.ts";
import { maker } from "../../support/security/things.ts";
import { useTwoOrgs } from "../../support/security/world.ts";
import { rows } from "./rows/all.ts";

/** Uses every kind of secret once, rightly and wrongly, and then looks for all of them wherever anything is kept or told. */
describe("DAT-01: secrets", { timeout: 60_000 }, () => {
  const world = useTwoOrgs();
  const replies: string[] = [];

  beforeAll(async () => {
    const { a, call, canaries } = world();
    const { admin, owner, member } = a.people;
    const made = maker(call, admin.key);
    const note = async (...asked: Parameters<typeof call>) => {
      const { text, headers } = await call(...asked);
      replies.push(text, JSON.stringify([...headers]));
    };
    const provider = { baseURL: "https://models.example/v1", apiKey: canaries.make("provider-key") };
    const headers = { "x-secret": canaries.make("provider-header") };
    replies.push(
      JSON.stringify(await made("PUT", "/model-providers/own", { ...provider, headers, models: [] })),
    );
    const sandboxSecret = { value: canaries.make("sandbox-secret"), hosts: ["api.example.com"] };
    replies.push(JSON.stringify(await made("PUT", "/sandbox-secrets/own", sandboxSecret)));
    const mine = { name: "mine", ...provider, apiKey: canaries.make("user-provider-key"), models: [] };
    await note(member.key, {
      method: "PUT",
      path: "/api/v1/user-config/model-providers",
      body: { modelProviders: [mine] },
    });
    const email = "carol@alpha.example";
    const invitation = await made("POST", "/invitations", { kind: "join", email, role: "viewer" });
    const password = canaries.make("password");
    const token = canaries.keep("invitation", invitation.token ?? "");
    await note(null, { method: "POST", path: "/api/v1/invitations/accept", body: { token, password } });
    for (const wrong of [password, canaries.make("wrong-password")]) {
      const body = { email, password: wrong };
      const { headers: got, text } = await call(null, { method: "POST", path: "/api/v1/login", body });
      replies.push(text);
      for (const cookie of got.getSetCookie()) {
        // One that pages read is no secret from them.
        const secret = /^[^=]+=([^;]{20,}).*HttpOnly/i.exec(cookie)?.[1];
        if (secret !== undefined) canaries.keep(`cookie ${cookie.split("=")[0]}`, decodeURIComponent(secret));
      }
    }
    const stray = canaries.make("stray-key");
    const paths = [`/api/v1/sessions?key=${stray}`, `/api/v1/me?api_key=${stray}`, `/api/v1/${stray}`];
    for (const path of paths) await call(null, { method: "GET", path });
    await call(stray, {
      method: "GET",
      path: "/api/v1/me",
      headers: { referer: `https://x.example/${stray}` },
    });
    const { until } = await talk(world(), { says: 'call leak {"how":"say"}', permissions: { mode: "auto" } });
    await until("run.finished");
    for (const endpoint of endpoints) {
      const row = rows[endpoint.id];
      if (row === undefined || endpoint.method !== "get") continue;
      const given = await requestFor(row, targetOf(world(), a));
      replies.push((await ask(world(), endpoint, { key: owner.key, given })).text);
      const own = await requestFor(row, targetOf(world(), world().home));
      replies.push((await ask(world(), endpoint, { key: world().adminKey, given: own })).text);
    }
  });

  it("DAT-01: the search finds what is there", async () => {
    const { canaries, dataDir, a } = world();
    expect(canaries.in(`{"key":"${a.people.member.key}"}`)).toEqual(["key of alpha-member"]);
    expect(canaries.in(encodeURIComponent(a.people.member.key))).toEqual(["key of alpha-member"]);
    expect(canaries.in(Buffer.from(a.people.member.key).toString("base64"))).toEqual(["key of alpha-member"]);
    canaries.keep("not a secret", a.mark);
    expect((await canaries.inFolder(dataDir, [])).some((found) => found.startsWith("not a secret"))).toBe(
      true,
    );
    canaries.forget("not a secret");
  });

  it("DAT-01: are in no reply", () => {
    expect(replies.length).toBeGreaterThan(100);
    expect(new Set(replies.flatMap((reply) => world().canaries.in(reply)))).toEqual(new Set());
  });

  it("AGT-05: are in no log line and no figure", async () => {
    const { canaries, call, adminKey, logs } = world();
    const metrics = await call(adminKey, { method: "GET", path: "/metrics" });
    expect(metrics.status).toBe(200);
    expect(logs().split("\n").length).toBeGreaterThan(200);
    expect([canaries.in(logs()), canaries.in(metrics.text)]).toEqual([[], []]);
  });

  it("DAT-01: are in no file of the data folder", async () => {
    expect(await world().canaries.inFolder(world().dataDir, [])).toEqual([]);
  });

  it("AUD-01: are in no audit entry of any organization", async () => {
    const { canaries, call, a, b, adminKey } = world();
    for (const slug of [a.slug, b.slug, "default"]) {
      const headers = { "x-berth-org": slug };
      const { status, text } = await call(adminKey, {
        method: "GET",
        path: "/api/v1/audit-log/export",
        headers,
      });
      expect(status).toBe(200);
      expect(text.length).toBeGreaterThan(100);
      expect(canaries.in(text)).toEqual([]);
    }
  });
});
