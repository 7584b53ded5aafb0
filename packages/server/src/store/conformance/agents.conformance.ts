import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { agentNamed, type OpenStore, refusal, useStore } from "./scene.conformance.ts";

export function agentsConformance(open: OpenStore): void {
  describe("agents", () => {
    const scene = useStore(open);
    const make = async (here: ReturnType<typeof scene>, name: string) => {
      const { result } = await here.org.createAgent({ id: newId("agent"), definition: agentNamed(name) });
      return result;
    };

    it("are found by id and by name, in their newest version", async () => {
      const here = scene();
      const made = await make(here, "helper");
      const now = here.clock.now();
      const { id } = made;
      const times = { createdAt: now, updatedAt: now };
      expect(made).toEqual({
        orgId: here.orgId,
        id,
        version: 1,
        definition: agentNamed("helper"),
        archived: false,
        ...times,
      });
      expect(await here.org.findAgent(id)).toEqual(made);
      expect(await here.org.findAgent("helper")).toEqual(made);
      expect(await here.org.findAgent("nobody")).toBeNull();
    });

    it("I14: keep every version as it was", async () => {
      const here = scene();
      const first = await make(here, "helper");
      await here.clock.advance(1_000);
      const definition = agentNamed("helper", { instructions: "Be kind." });
      const second = await here.org.putAgent({ id: first.id, definition, ifVersion: 1 });
      const times = { createdAt: first.createdAt, updatedAt: here.clock.now() };
      expect(second.result).toEqual({ ...first, version: 2, definition, ...times });
      expect(await here.org.findAgent("helper", 1)).toEqual(first);
      expect(await here.org.findAgent(first.id)).toEqual(second.result);
      expect(await here.org.findAgent(first.id, 3)).toBeNull();
      const versions = await here.org.listAgentVersions(first.id, { limit: 1 });
      expect(versions.items).toMatchObject([{ version: 2, createdAt: here.clock.now(), definition }]);
      const rest = await here.org.listAgentVersions(first.id, { limit: 5, after: versions.next ?? "" });
      expect(rest).toEqual({ items: [first], next: null });
      expect(await refusal(here.org.listAgentVersions(first.id, { limit: 5, after: "x" }))).toBe(
        "cursor_invalid",
      );
    });

    it("change only from the version that the caller knows, one of two at once", async () => {
      const here = scene();
      const { id, definition } = await make(here, "helper");
      const put = () => here.org.putAgent({ id, definition, ifVersion: 1 });
      const [one, two] = await Promise.allSettled([put(), put()]);
      expect([one?.status, two?.status]).toEqual(["fulfilled", "rejected"]);
      expect(await refusal(put())).toBe("version_mismatch");
      expect((await here.org.putAgent({ id, definition })).result.version).toBe(3);
      expect(await refusal(here.org.putAgent({ id: newId("agent"), definition }))).toBe("agent_not_found");
    });

    it("have names of their own within an org", async () => {
      const here = scene();
      const helper = await make(here, "helper");
      const other = await make(here, "other");
      expect(await refusal(make(here, "helper"))).toBe("agent_name_taken");
      const rename = (name: string) => here.org.putAgent({ id: other.id, definition: agentNamed(name) });
      expect(await refusal(rename("helper"))).toBe("agent_name_taken");
      await rename("third");
      expect(await here.org.findAgent("other")).toBeNull();
      expect((await make(here, "other")).version).toBe(1);
      await make(here.neighbour(), "helper");
      expect((await here.org.findAgent("helper"))?.id).toBe(helper.id);
    });

    it("are listed newest first, and apart when archived", async () => {
      const here = scene();
      const made = [await make(here, "a"), await make(here, "b"), await make(here, "c")];
      const newest = made
        .map(({ id }) => id)
        .toSorted()
        .toReversed();
      const ids = async (filter: object) =>
        (await here.org.listAgents({ limit: 10, ...filter })).items.map(({ id }) => id);
      expect(await ids({})).toEqual(newest);
      const page = await here.org.listAgents({ limit: 2 });
      expect(page.items.map(({ id }) => id)).toEqual(newest.slice(0, 2));
      expect(await ids({ after: page.next })).toEqual(newest.slice(2));
      const archived = made[1]?.id ?? "";
      expect(await here.org.archiveAgent(archived, true)).toMatchObject({ archived: true, version: 1 });
      expect(await ids({})).toEqual(newest.filter((id) => id !== archived));
      expect(await ids({ archived: true })).toEqual([archived]);
      expect(await here.org.findAgent("b")).toMatchObject({ id: archived, archived: true });
      expect(await here.org.archiveAgent(archived, false)).toMatchObject({ archived: false });
      expect(await here.org.archiveAgent("agt_none", true)).toBeNull();
    });
  });
}
