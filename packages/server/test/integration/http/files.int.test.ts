import type { FileList } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { type Api, type ApiOptions, useApi } from "../../support/http/api.ts";

const open = useApi();

async function start(options: ApiOptions = {}): Promise<{ api: Api; files: string; id: string }> {
  const api = await open(options);
  await api.agent();
  const { id } = await api.session();
  return { api, id, files: `/sessions/${id}/files` };
}

const bytes = { "content-type": "application/octet-stream" };

describe("the files of a workspace", () => {
  it("are written, listed, read, moved and deleted, and the log tells", async () => {
    const { api, files, id } = await start();
    const data = new Uint8Array(3_000_000).map((_, i) => i % 251);
    const put = await api.put(`${files}/src/%C3%BC%20data.bin`, data, { headers: bytes });
    expect(put.status).toBe(200);
    expect(put.json()).toMatchObject({ path: "src/ü data.bin", kind: "file", size: data.length });
    const listed = (await api.get(`${files}?depth=2`)).json<FileList>();
    expect(listed.items.map(({ path, kind }) => [path, kind])).toEqual([
      ["src", "directory"],
      ["src/ü data.bin", "file"],
    ]);
    expect((await api.get(`${files}?path=src`)).json<FileList>().items).toHaveLength(1);
    const moved = await api.post(`${files}/move`, { path: "src/ü data.bin", to: "plain.bin" });
    expect(moved.json()).toMatchObject({ path: "plain.bin", size: data.length });
    expect((await api.delete(`${files}/plain.bin`)).status).toBe(204);
    expect((await api.get(`${files}/plain.bin`)).problem()).toMatchObject({
      status: 404,
      code: "file_not_found",
    });
    const log = await api.harness.log(id);
    const changes = log
      .filter((event) => event.type === "file.changed")
      .map(({ data: { change, path } }) => [change, path]);
    expect(changes).toEqual([
      ["written", "src/ü data.bin"],
      ["moved", "src/ü data.bin"],
      ["deleted", "plain.bin"],
    ]);
  });

  it("may have names of several lines", async () => {
    const { api, files } = await start();
    expect((await api.put(`${files}/n%0Al`, "x", { headers: bytes })).status).toBe(200);
    expect((await api.get(files)).json<FileList>().items).toMatchObject([{ path: "n\nl" }]);
    expect((await api.get(`${files}/n%0Al`)).text).toBe("x");
    expect((await api.delete(`${files}/n%0Al`)).status).toBe(204);
    const nothing = await api.get("/nothing%0Ahere");
    expect(nothing.problem()).toMatchObject({ code: "route_not_found", requestId: expect.any(String) });
    expect(nothing.headers.get("x-request-id")).toBe(nothing.problem().requestId);
  });

  it("come back byte by byte, as a download that no browser runs", async () => {
    const { api, files } = await start();
    const data = new Uint8Array(2_500_000).map((_, i) => i % 7);
    await api.put(`${files}/a.html`, data, { headers: { "content-type": "text/html" } });
    const request = new Request(`http://berth.test/api/v1${files}/a.html`, {
      headers: { "x-api-key": "brt_test-key" },
    });
    const response = await api.appFor(api.principal)(request);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(data);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(response.headers.get("content-length")).toBe(String(data.length));
    expect(response.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''a.html");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("are found by name and by content", async () => {
    const { api, files, id } = await start();
    await api.put(`${files}/a.ts`, "let x = 1;\nlet Y = 2;\n", { headers: bytes });
    await api.put(`${files}/b/c.md`, "let it be\n", { headers: bytes });
    const search = `/sessions/${id}/search`;
    expect((await api.get(`${search}/files?pattern=**/*.md`)).json()).toEqual({
      items: ["b/c.md"],
      truncated: false,
    });
    expect((await api.get(`${search}/text?pattern=let%20y&ignoreCase=true&glob=*.ts`)).json()).toEqual({
      items: [{ path: "a.ts", line: 2, text: "let Y = 2;" }],
      truncated: false,
    });
    expect((await api.get(`${search}/text?pattern=(`)).problem()).toMatchObject({
      status: 422,
      code: "pattern_invalid",
    });
  });

  it("are not made by looking for them", async () => {
    const { api, files, id } = await start();
    expect((await api.get(files)).json()).toEqual({ items: [], truncated: false });
    expect((await api.get(`${files}?path=src`)).problem().code).toBe("file_not_found");
    expect((await api.get(`${files}/x`)).problem().code).toBe("file_not_found");
    expect((await api.get(`/sessions/${id}/search/files?pattern=*`)).json()).toEqual({
      items: [],
      truncated: false,
    });
    expect((await api.get(`/sessions/${id}/search/text?pattern=x`)).json()).toEqual({
      items: [],
      truncated: false,
    });
    expect(await api.operations.sandboxes.files({ orgId: api.harness.orgId, sessionId: id })).toBeNull();
    expect(await api.harness.log(id)).toHaveLength(1);
  });

  it.each([
    ["the folder above", "a%2F..%2F..%2Fb"],
    ["a path from the root", "%2Fetc%2Fpasswd"],
    ["a NUL", "a%00b"],
    ["nothing but the folder above", "..%2F"],
    ["too long a path", encodeURIComponent("x/".repeat(2_040) + "y".repeat(30))],
    ["the workspace itself", "%2E"],
  ])("stay inside with %s", async (_, path) => {
    const { api, files, id } = await start();
    const reply = await api.put(`${files}/${path}`, "x", { headers: bytes });
    expect([404, 422]).toContain(reply.status);
    expect(["path_invalid", "file_not_found", "route_not_found"]).toContain(reply.problem().code);
    await api.put(`${files}/made`, "x", { headers: bytes });
    expect((await api.get(`${files}/${path}`)).status).toBeGreaterThanOrEqual(404);
    expect((await api.get(`${files}/${path}`)).status).toBeLessThan(500);
    const log = await api.harness.log(id);
    expect(log.filter((event) => event.type === "file.changed")).toHaveLength(1);
  });

  it("may be big, but not too big", async () => {
    const { api, files } = await start({ http: { uploadBytes: 1_000 } });
    const reply = await api.put(`${files}/big`, new Uint8Array(1_001), { headers: bytes });
    expect(reply.problem()).toMatchObject({ status: 413, code: "body_too_large", details: { limit: 1_000 } });
  });

  it("are refused in words when they are not there", async () => {
    const { api, files } = await start();
    expect((await api.delete(`${files}/none`)).problem()).toMatchObject({
      status: 404,
      code: "file_not_found",
    });
    const moved = await api.post(`${files}/move`, { path: "none", to: "some" });
    expect(moved.problem()).toMatchObject({ status: 404, code: "file_not_found" });
  });
});
