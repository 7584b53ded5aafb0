import { createShareLinkReply } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { useCliRig } from "../../support/cli/cli-rig.ts";

const start = useCliRig();

describe("berth sessions share", () => {
  async function session() {
    const rig = await start();
    await rig.agent();
    const { id } = await rig.client.sessions.create({ agent: "tester" });
    return { id, url: rig.url, berth: (...args: string[]) => rig.berth("sessions", ...args) };
  }
  const parsed = ({ code, out }: { code: number; out: string }): unknown => {
    expect(code).toBe(0);
    return JSON.parse(out);
  };

  it("makes a link that reads the session, lists it and ends it", async () => {
    const { berth, id, url } = await session();
    const link = createShareLinkReply.parse(parsed(await berth("share", id, "--expires", "1h", "--json")));
    const read = () =>
      fetch(`${url}/api/v1/sessions/${id}`, { headers: { authorization: `Bearer ${link.token}` } });
    expect((await read()).status).toBe(200);
    expect((await berth("shares", id)).out).toMatch(new RegExp(`${link.id} +open`));
    expect(parsed(await berth("unshare", id, "--json"))).toEqual({ revoked: [link.id] });
    expect((await read()).status).toBe(401);
    expect(parsed(await berth("shares", id, "--json"))).toMatchObject([
      { id: link.id, revokedAt: expect.any(String) },
    ]);
    expect((await berth("unshare", id)).out).toBe("No link was open.\n");
  });

  it("shows the token once, and says how to use and to end it", async () => {
    const { berth, id } = await session();
    const { out } = await berth("share", id);
    expect(out).toMatch(/^shr_[\w-]{43}\n/);
    expect(out).toContain(`./berth sessions tail ${id}`);
    expect(out).toContain(`./berth sessions unshare ${id} shr_`);
  });

  it("shows a session to the organization and hides it again", async () => {
    const { berth, id } = await session();
    expect((await berth("share", id, "--with-org")).out).toContain("everybody");
    expect(parsed(await berth("show", id, "--json"))).toMatchObject({ visibility: "org" });
    await berth("unshare", id, "--with-org");
    expect((await berth("show", id)).out).toMatch(/seen by +its owner/);
  });

  it("says what is wrong with a duration", async () => {
    const { berth, id } = await session();
    const { code, err } = await berth("share", id, "--expires", "soon");
    expect([code, err]).toEqual([1, expect.stringContaining("is no duration")]);
  });
});
