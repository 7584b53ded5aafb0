import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { apiKey, type NetServer, useNetServer } from "../../support/network/net-server.ts";
import { codeOf, rawClient, statusesOf } from "../../support/network/raw-client.ts";

const start = useNetServer();
const MiB = 1_048_576;

async function post(
  server: NetServer,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${server.url}/api/v1/agents`, {
    method: "POST",
    headers: { "x-api-key": apiKey, "content-type": "application/json", ...headers },
    body,
  });
  const { code } = (await response.json()) as { code?: string };
  return { status: response.status, code };
}

/** Objects and arrays in one another. */
const deep = (levels: number, open: string, close: string) =>
  open.repeat(levels) + "1" + close.repeat(levels);

describe("NET-04: a body that is made to hurt", () => {
  it("is refused, with the reason, whatever is wrong with it", async () => {
    const server = await start();
    const keys = Array.from({ length: 110_000 }, (_, i) => `"${i.toString(36)}":1`).join();
    const bodies: readonly (readonly [
      string,
      string | Uint8Array<ArrayBuffer>,
      Record<string, string>,
      number,
      string,
    ])[] = [
      ["over the limit", " ".repeat(2 * MiB), {}, 413, "body_too_large"],
      [
        "a bomb of gzip",
        gzipSync(Buffer.alloc(64 * MiB)),
        { "content-encoding": "gzip" },
        415,
        "unsupported_media_type",
      ],
      ["twice encoded", "{}", { "content-encoding": "gzip, deflate" }, 415, "unsupported_media_type"],
      ["110,000 keys", `{${keys}}`, {}, 422, "validation_failed"],
      ["500,000 elements", `[${"1,".repeat(500_000)}1]`, {}, 422, "validation_failed"],
      ["arrays 100,000 deep", deep(100_000, "[", "]"), {}, 422, "validation_failed"],
      ["objects 65 deep", deep(65, '{"a":', "}"), {}, 422, "validation_failed"],
      ["brackets without an end", "[".repeat(MiB - 1), {}, 422, "validation_failed"],
      ["a long number", "9".repeat(MiB - 1), {}, 422, "validation_failed"],
      ["no JSON", "<a/>", {}, 400, "malformed_json"],
      ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), {}, 400, "malformed_json"],
      [
        "another type",
        "a=b",
        { "content-type": "application/x-www-form-urlencoded" },
        415,
        "unsupported_media_type",
      ],
    ];
    for (const [what, body, headers, status, code] of bodies) {
      expect({ what, ...(await post(server, body, headers)) }).toEqual({ what, status, code });
    }
    expect((await server.api.get("/me")).status).toBe(200);
  });

  it("is refused before it is read when it says that it is far too long", async () => {
    const { port } = await start();
    const client = rawClient(port);
    const length = 1_024 * MiB;
    client.write(
      `POST /api/v1/agents HTTP/1.1\r\nHost: a\r\nX-API-Key: ${apiKey}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{`,
    );
    const answer = await client.until('"code"');
    expect({ statuses: statusesOf(answer), code: codeOf(answer) }).toEqual({
      statuses: [413],
      code: "body_too_large",
    });
    client.socket.destroy();
  });

  it("is cut off when it comes in chunks without an end", async () => {
    const { port } = await start();
    const client = rawClient(port);
    client.write(
      `POST /api/v1/agents HTTP/1.1\r\nHost: a\r\nX-API-Key: ${apiKey}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = Buffer.alloc(MiB, " ");
    let sent = 0;
    while (!client.socket.destroyed && client.received() === "" && sent < 100) {
      client.socket.write(`${chunk.length.toString(16)}\r\n`);
      client.socket.write(chunk);
      // A write after the cut fails the socket, and then there is no drain.
      const drained = once(client.socket, "drain").catch(() => undefined);
      if (!client.socket.write("\r\n")) await Promise.race([drained, client.closed]);
      sent += 1;
    }
    const answer = await client.until('"code"');
    expect(codeOf(answer)).toBe("body_too_large");
    expect(sent).toBeLessThan(40);
    client.socket.destroy();
  });

  it("is taken up to 64 levels", async () => {
    const server = await start();
    // The schema knows no such field, but it was parsed.
    const body = `{"name":"a","model":"test/model","extra":${deep(62, "[", "]")}}`;
    expect(await post(server, body)).toEqual({ status: 422, code: "validation_failed" });
    expect(await post(server, `{"name":"fine","model":"test/model"}`)).toMatchObject({ status: 201 });
  });
});
