import type { IncomingMessage } from "node:http";
import type { SandboxInfo } from "@berth/contract";
import { describe, expect, it, vi } from "vitest";
import { apiKey } from "../../support/network/net-server.ts";
import { askHost } from "../../support/sandbox/ask-host.ts";
import { usePreviews } from "../../support/sandbox/use-previews.ts";

const { setUp, listen } = usePreviews();

describe("a preview", () => {
  it("trades its token for a cookie of its own host, and shows what the sandbox answers", async () => {
    const seen: IncomingMessage[] = [];
    const { net, preview, port } = await setUp((request, response) => {
      seen.push(request);
      response.setHeader("x-own", "yes").end(`at ${request.url}`);
    });
    const url = await preview();
    expect(url.port).toBe(String(net.port));
    url.pathname = "/docs/page";
    url.searchParams.append("q", "a b");
    const traded = await askHost(net.port, url);
    expect(traded.status).toBe(302);
    expect(traded.headers.location).toBe("/docs/page?q=a+b");
    expect(traded.headers["referrer-policy"]).toBe("no-referrer");
    const [cookie = ""] = traded.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/^berth_preview=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
    expect(seen).toEqual([]);
    const headers = { cookie: `theme=dark; ${cookie.split(";")[0]}; berth_session=x; __Host-berth=y` };
    const shown = await askHost(net.port, new URL("/docs/page?q=1", url), {
      headers: {
        ...headers,
        authorization: "Bearer secret",
        "x-api-key": apiKey,
        "x-berth-org": "acme",
        connection: "close, x-hop",
        "x-hop": "1",
        "x-forwarded-for": "203.0.113.9",
      },
    });
    expect(shown).toMatchObject({ status: 200, text: "at /docs/page?q=1" });
    expect(shown.headers).toMatchObject({
      "x-own": "yes",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
    const got = seen[0]?.headers ?? {};
    expect(got).toMatchObject({
      host: `localhost:${port}`,
      cookie: "theme=dark",
      "x-forwarded-host": url.host,
    });
    for (const name of ["authorization", "x-api-key", "x-berth-org", "x-hop", "x-forwarded-for"])
      expect(got).not.toHaveProperty(name);
  });

  it("lets a sandbox set no cookie but its own host's, and nothing that outlives the preview", async () => {
    const { net, preview, enter } = await setUp((_, response) => {
      response.setHeader("set-cookie", [
        "a=1; Domain=localhost; Path=/",
        "b=2;domain=.localhost",
        "berth_preview=stolen; Path=/",
        "__Host-berth_preview=stolen; Secure; Path=/",
        "c=3; HttpOnly",
      ]);
      response.setHeader("strict-transport-security", "max-age=99999999; includeSubDomains");
      response.setHeader("clear-site-data", '"*"');
      response.setHeader("alt-svc", 'h2="evil.example:443"');
      response.setHeader("referrer-policy", "unsafe-url").end("x");
    });
    const url = await preview();
    const cookie = await enter(url);
    const { headers } = await askHost(net.port, new URL("/", url), { headers: { cookie } });
    expect(headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2", "c=3; HttpOnly"]);
    expect(headers["strict-transport-security"]).toBeUndefined();
    expect(headers["clear-site-data"]).toBeUndefined();
    expect(headers["alt-svc"]).toBeUndefined();
    expect(headers["referrer-policy"]).toBe("no-referrer");
  });

  it("lets nobody in without a good token: forged, expired, revoked, another port's, another sandbox's", async () => {
    const asked = vi.fn<() => void>();
    const { net, api, preview, enter, port, box, plain } = await setUp((_, response) => {
      asked();
      response.end("secret");
    });
    const refused = async (url: URL, cookie = "") => {
      const reply = await askHost(net.port, url, cookie === "" ? {} : { headers: { cookie } });
      expect([reply.status, reply.text]).toEqual([403, expect.stringContaining("There is no preview here")]);
      expect(reply.headers["set-cookie"]).toBeUndefined();
    };
    const url = await preview();
    const bare = new URL("/", url);
    await refused(bare);
    const token = url.searchParams.get("berth_token") ?? "";
    for (const forged of [
      `${token}x`,
      token.slice(0, -1),
      token.replace(/\.\d+\./, ".9999999999999."),
      "x",
    ]) {
      const to = new URL(url);
      to.searchParams.set("berth_token", forged);
      await refused(to);
      await refused(bare, `berth_preview=${forged}`);
    }
    const cookie = await enter(url);
    expect((await askHost(net.port, bare, { headers: { cookie } })).text).toBe("secret");
    await refused(bare, `${cookie}; ${cookie}`);

    const other = await listen((_, response) => response.end("other"));
    plain.ownPorts.add(other.port);
    const second = await preview(other.port);
    await refused(new URL("/", second), cookie);
    const swapped = new URL(second);
    swapped.searchParams.set("berth_token", token);
    await refused(swapped);
    const next = await api.session();
    const neighbour = (await api.post("/sandboxes", { sessionId: next.id })).json<SandboxInfo>();
    const theirs = await preview(port, 60_000, neighbour.id);
    await refused(new URL("/", theirs), cookie);
    const own = await enter(theirs);
    const unreachable = await askHost(net.port, new URL("/", theirs), { headers: { cookie: own } });
    expect([unreachable.status, unreachable.text]).toEqual([502, expect.stringContaining("Nothing listens")]);

    await api.delete(`/sandboxes/${box.id}/ports/${port}`);
    await refused(bare, cookie);
    await refused(url);
    const again = await enter(await preview());
    await refused(bare, cookie);
    expect((await askHost(net.port, bare, { headers: { cookie: again } })).text).toBe("secret");
    api.plain.renew(box.id);
    await refused(bare, again);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("ends with its sandbox, and with the rights of who opened it", async () => {
    const { net, api, preview, enter, box, as } = await setUp();
    const url = new URL("/", await preview());
    const cookie = await enter(await preview());
    const get = async () => (await askHost(net.port, url, { headers: { cookie } })).status;
    expect(await get()).toBe(200);
    as({ ...api.principal, permissions: new Set(["session:read"]) });
    expect(await get()).toBe(403);
    as({ ...api.principal, id: "gone" });
    expect(await get()).toBe(403);
    as(api.principal);
    expect(await get()).toBe(200);
    await api.delete(`/sandboxes/${box.id}`);
    expect(await get()).toBe(403);
  });

  it("never is the API, nor the API a preview, however the host is written", async () => {
    const { net, preview, enter } = await setUp((request, response) => response.end(`inside ${request.url}`));
    const url = await preview();
    const cookie = await enter(url);
    const label = url.hostname.split(".")[0] ?? "";
    const key = { "x-api-key": apiKey, cookie };
    const at = (host: string, path = "/api/v1/me") =>
      askHost(net.port, `http://127.0.0.1${path}`, { headers: { ...key, host } });
    for (const host of [
      `${label}.localhost:${net.port}`,
      `${label.toUpperCase()}.LOCALHOST`,
      `${label}.localhost.`,
      `${label}.localhost.:1`,
    ])
      expect([host, (await at(host)).text]).toEqual([host, "inside /api/v1/me"]);
    for (const host of [
      "x.localhost",
      `a.${label}.localhost`,
      `${label}x.localhost`,
      ".localhost",
      `127.0.0.1.localhost`,
      `${label}.localhost:1:2`,
    ]) {
      const reply = await at(host);
      expect([host, reply.status >= 400, reply.text.includes("principal")]).toEqual([host, true, false]);
      expect(reply.text).not.toContain("inside");
    }
    for (const host of [
      "localhost",
      "127.0.0.1",
      `localhost:${net.port}`,
      "evil.example",
      `${label}.evil.example`,
    ]) {
      const reply = await at(host);
      expect([host, reply.status, reply.text.includes('"principal"')]).toEqual([host, 200, true]);
    }
    const absolute = await askHost(net.port, url, {
      path: `http://127.0.0.1:${net.port}/api/v1/me`,
      headers: key,
    });
    expect([absolute.status, absolute.text.includes("principal")]).toEqual([400, false]);
    const forwarded = await askHost(net.port, "http://127.0.0.1/api/v1/me", {
      headers: { ...key, "x-forwarded-host": url.host },
    });
    expect(forwarded.text).toContain('"principal"');
  });

  it("redirects nowhere else, and trades no token for what changes something", async () => {
    const { net, preview } = await setUp();
    const url = await preview();
    for (const path of ["//evil.example/x", "/\\evil.example/x", "///evil.example", "/\\/evil.example"]) {
      const reply = await askHost(net.port, url, { path: `${path}${url.search}` });
      expect(reply.status).toBe(302);
      const to = new URL(reply.headers.location ?? "", "http://own.localhost");
      expect(to.host).toBe("own.localhost");
    }
    expect((await askHost(net.port, url, { method: "POST", body: "x" })).status).toBe(403);
    const twice = await askHost(net.port, `${url.href}&berth_token=x`);
    expect(twice.status).toBe(403);
  });

  it("is not used by pages of other sites and previews, but by other ports of its sandbox", async () => {
    const { net, preview, enter, plain } = await setUp();
    const url = await preview();
    const cookie = await enter(url);
    const sibling = await listen(() => {});
    plain.ownPorts.add(sibling.port);
    const kin = await preview(sibling.port);
    const ask = async (headers: Record<string, string>, method = "GET") =>
      (await askHost(net.port, new URL("/", url), { method, headers: { cookie, ...headers } })).status;
    const stranger = `http://p${"0".repeat(25)}.localhost:${net.port}`;
    const [same, cross] = [{ "sec-fetch-site": "same-site" }, { "sec-fetch-site": "cross-site" }];
    const follow = { "sec-fetch-mode": "navigate" };
    expect(await ask({ ...cross, ...follow })).toBe(200);
    expect(await ask({ ...same, ...follow }, "POST")).toBe(403);
    expect(await ask({ ...same, "sec-fetch-mode": "no-cors" })).toBe(403);
    expect(await ask({ ...same, origin: stranger })).toBe(403);
    expect(await ask({ origin: "http://evil.example" })).toBe(403);
    expect(await ask({ ...same, origin: kin.origin }, "POST")).toBe(200);
    expect(await ask({ "sec-fetch-site": "same-origin", origin: url.origin }, "POST")).toBe(200);
    expect(await ask({})).toBe(200);
  });
});
