import { describe, expect, it } from "vitest";
import { useApi } from "../../support/http/api.ts";

const start = useApi();
const evil = "(a+)+$";
const bait = `${"a".repeat(40)}!`;

describe("NET-09: a pattern that would run for ever", () => {
  it("is stopped in a search, and the server answers others meanwhile", async () => {
    const api = await start();
    await api.agent();
    const { id } = await api.session();
    expect((await api.send("PUT", `/api/v1/sessions/${id}/files/bait.txt`, { body: bait })).status).toBe(200);
    const order: string[] = [];
    const search = api
      .get(`/sessions/${id}/search/text?pattern=${encodeURIComponent(evil)}`)
      .then((reply) => {
        order.push("search");
        return reply;
      });
    for (let i = 0; i < 5; i++) {
      expect((await api.send("GET", "/healthz")).status).toBe(200);
      order.push("health");
    }
    const reply = await search;
    expect(order).toEqual(["health", "health", "health", "health", "health", "search"]);
    expect({ status: reply.status, code: reply.problem().code }).toEqual({
      status: 422,
      code: "search_timeout",
    });
  });

  it("is a plain text in filters and addresses", async () => {
    const api = await start();
    await api.agent();
    const { id } = await api.session();
    const filters = [
      `/sessions?q=${encodeURIComponent(evil)}`,
      `/sessions/${id}/events?types=${encodeURIComponent(evil)}`,
      `/sessions?after=${encodeURIComponent(bait.repeat(50))}`,
      `/agents/${encodeURIComponent(bait.repeat(50))}`,
      `/sessions/${"a/".repeat(2_000)}`,
      `/sessions/${id}/files/${"%2e%2e/".repeat(500)}x`,
    ];
    for (const filter of filters) {
      const { status } = await api.get(filter);
      expect({ filter: filter.slice(0, 60), refused: status >= 400 && status < 500 }).toMatchObject({
        refused: true,
      });
    }
  });
});
