import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { agentNamed, interrupt, message, type OpenStore, refusal, useStore } from "./scene.conformance.ts";

const dayMs = 86_400_000;

export function requestsConformance(open: OpenStore): void {
  describe("resume or create", () => {
    const scene = useStore(open);

    it("makes one session of fifty that ask at once with the same key, and takes the inputs of all", async () => {
      const here = scene();
      const asked = await Promise.all(
        Array.from({ length: 50 }, () =>
          here.org.createSession(here.newSession({ key: "user:1" }, { inputs: [interrupt()] })),
        ),
      );
      expect(asked.filter(({ result }) => result.created)).toHaveLength(1);
      expect(new Set(asked.map(({ result }) => result.session.id)).size).toBe(1);
      expect((await here.org.listSessions({ limit: 10 })).items).toHaveLength(1);
      const id = asked[0]?.result.session.id ?? "";
      expect(await here.store.session(here.orgId, id).mailbox()).toHaveLength(50);
      expect((await here.org.findSessionByKey("usr_1", "user:1"))?.id).toBe(id);
    });

    it("keeps keys apart by owner, and frees that of a deleted session", async () => {
      const here = scene();
      const mine = await here.create({ key: "k" });
      const theirs = await here.create({ key: "k", owner: "usr_2" });
      expect(theirs.id).not.toBe(mine.id);
      expect(await here.org.deleteSession(mine.id)).toBe(true);
      expect(await here.org.findSessionByKey("usr_1", "k")).toBeNull();
      const next = await here.org.createSession(here.newSession({ key: "k" }));
      expect(next.result.created).toBe(true);
      expect((await here.org.findSessionByKey("usr_2", "k"))?.id).toBe(theirs.id);
    });

    it("resumes an archived session, with the input that takes it out of the archive", async () => {
      const here = scene();
      const archived = await here.create({ key: "k", status: "archived" });
      const unarchive = interrupt({ body: { type: "session.archive", archived: false } });
      const again = here.newSession({ key: "k" }, { inputs: [unarchive, message()] });
      const { result } = await here.org.createSession(again);
      expect(result).toMatchObject({ created: false, session: { id: archived.id } });
      expect(result.inputs).toHaveLength(2);
      const refused = here.org.createSession(here.newSession({ key: "k" }, { inputs: [message()] }));
      expect(await refusal(refused)).toBe("session_archived");
    });

    it("creates with its first events, rows and inputs, or not at all", async () => {
      const here = scene();
      const runId = newId("run");
      const created = await here.create(
        {
          key: "k",
          title: "T",
          metadata: { a: "b" },
          model: "openai/x",
          status: "running",
          currentRunId: runId,
        },
        { projection: { runs: [{ id: runId, status: "running" }] }, inputs: [interrupt()] },
      );
      expect(created).toEqual({
        ...here.newSession().row,
        id: created.id,
        key: "k",
        title: "T",
        metadata: { a: "b" },
        model: "openai/x",
        visibility: "private",
        status: "running",
        currentRunId: runId,
        lastSeq: 1,
        epoch: 0,
        holder: null,
        generation: 1,
        rewinds: [],
        createdAt: here.clock.now(),
        updatedAt: here.clock.now(),
      });
      expect(await here.org.findSession(created.id)).toEqual(created);
      expect((await here.org.findRun(runId))?.status).toBe("running");
      const tooMany = Array.from({ length: 1_001 }, () => interrupt());
      const refused = here.newSession({ key: "other" }, { inputs: tooMany });
      expect(await refusal(here.org.createSession(refused))).toBe("mailbox_full");
      expect(await here.org.findSessionByKey("usr_1", "other")).toBeNull();
      expect(await here.store.session(here.orgId, refused.row.id).readLog({ after: 0, limit: 1 })).toBeNull();
    });
  });

  describe("idempotency", () => {
    const scene = useStore(open);
    const key = { scope: "usr_1 POST /sessions", key: "k1", bodyHash: "h1" };

    it("answers a repetition, and nothing else, when there is a refusal", async () => {
      const here = scene();
      const session = await here.held(1);
      const why = { code: "already_decided", message: "too late", details: { approval: "apr_1" } };
      const accept = (idempotency: typeof key) =>
        session.store.accept({ inputs: [message(), interrupt()], refusal: why, idempotency });
      expect(await refusal(accept(key))).toBe("already_decided");
      expect(await session.store.mailbox()).toEqual([]);
      const first = await session.store.accept({ inputs: [message(), interrupt()], idempotency: key });
      expect(await accept(key)).toEqual({ result: first.result, replayed: true });
      expect(await refusal(accept({ ...key, key: "other" }))).toBe("already_decided");
      const known = message({ clientId: "c" });
      const { result } = await session.store.accept({ inputs: [known] });
      const again = { inputs: [message({ clientId: "c" })], refusal: why };
      expect((await session.store.accept(again)).result).toEqual(result);
      const more = { inputs: [message({ clientId: "c" }), message()], refusal: why };
      expect(await refusal(session.store.accept(more))).toBe("already_decided");
      expect(await session.store.mailbox()).toHaveLength(3);
      const row = { key: "k", owner: "usr_1" };
      await here.create(row);
      const resume = here.newSession(row, { inputs: [message()], refusal: why });
      expect(await refusal(here.org.createSession(resume))).toBe("already_decided");
    });

    it("does a change once and gives the stored result to repeats, also to those at the same time", async () => {
      const session = await scene().held(1);
      const accept = () => session.store.accept({ inputs: [message()], idempotency: key });
      const answers = await Promise.all([accept(), accept(), accept()]);
      expect(answers.map(({ replayed }) => replayed)).toEqual([false, true, true]);
      await session.append(1, { taken: [answers[0]?.result[0]?.id ?? ""] });
      expect(await accept()).toEqual({ result: answers[0]?.result, replayed: true });
      expect(await session.store.mailbox()).toEqual([]);
    });

    it("refuses the same key with another body, and changes nothing", async () => {
      const session = await scene().held(1);
      await session.store.accept({ inputs: [message()], idempotency: key });
      const other = { ...key, bodyHash: "h2" };
      expect(await refusal(session.store.accept({ inputs: [message()], idempotency: other }))).toBe(
        "idempotency_mismatch",
      );
      expect(await session.store.mailbox()).toHaveLength(1);
    });

    it("keeps scopes and orgs apart", async () => {
      const session = await scene().held(1);
      const elsewhere = await session.scene.neighbour().held(1);
      await session.store.accept({ inputs: [message()], idempotency: key });
      await session.store.accept({
        inputs: [message()],
        idempotency: { ...key, scope: "usr_2 POST /sessions" },
      });
      expect((await elsewhere.store.accept({ inputs: [message()], idempotency: key })).replayed).toBe(false);
      expect(await session.store.mailbox()).toHaveLength(2);
    });

    it("remembers nothing of a change that was refused", async () => {
      const session = await scene().held(1);
      await session.store.accept({ inputs: [interrupt()] });
      const again = () => session.store.accept({ inputs: [message()], limit: 1, idempotency: key });
      expect(await refusal(again())).toBe("mailbox_full");
      const first = (await session.store.mailbox())[0];
      await session.append(1, { taken: [first?.id ?? ""] });
      expect((await again()).replayed).toBe(false);
    });

    it("covers sessions and agents", async () => {
      const here = scene();
      const create = () => here.org.createSession({ ...here.newSession(), idempotency: key });
      const first = await create();
      expect(await create()).toEqual({ ...first, replayed: true });
      expect((await here.org.listSessions({ limit: 10 })).items).toHaveLength(1);
      const definition = agentNamed("a");
      const agentKey = { ...key, scope: "usr_1 POST /agents" };
      const agent = () => here.org.createAgent({ id: newId("agent"), definition, idempotency: agentKey });
      const made = await agent();
      expect(await agent()).toEqual({ ...made, replayed: true });
      const putKey = { ...key, scope: "usr_1 PUT /agents" };
      const put = () =>
        here.org.putAgent({ id: made.result.id, definition, ifVersion: 1, idempotency: putKey });
      expect(await put()).toMatchObject({ replayed: false, result: { version: 2 } });
      expect(await put()).toMatchObject({ replayed: true, result: { version: 2 } });
    });

    it("forgets a key after 24 h", async () => {
      const session = await scene().held(1);
      const { store } = session.scene;
      const accept = () => session.store.accept({ inputs: [interrupt()], idempotency: key });
      await accept();
      await session.scene.clock.advance(dayMs - 1);
      await store.system.prune({ idempotencyMs: dayMs });
      expect((await accept()).replayed).toBe(true);
      await session.scene.clock.advance(1);
      await store.system.prune({ idempotencyMs: dayMs });
      const other = { ...key, bodyHash: "h2" };
      expect((await session.store.accept({ inputs: [interrupt()], idempotency: other })).replayed).toBe(
        false,
      );
    });
  });
}
