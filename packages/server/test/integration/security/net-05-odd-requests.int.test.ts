import { describe, expect, it } from "vitest";
import { apiKey, useNetServer } from "../../support/network/net-server.ts";
import { codeOf, rawClient, rawExchange, statusesOf } from "../../support/network/raw-client.ts";

const start = useNetServer();

/** A request as text, with what a plain one needs. */
function request(line: string, headers: readonly string[] = [], body = ""): string {
  return [line, "Host: berth.test", `X-API-Key: ${apiKey}`, "Connection: close", ...headers, "", body].join(
    "\r\n",
  );
}

const json = "Content-Type: application/json";

describe("NET-05: a request that could be understood in two ways", () => {
  const refused: readonly (readonly [what: string, text: string, status: number, code?: string])[] = [
    ["two Host headers", request("GET /api/v1/me HTTP/1.1", ["Host: other.test"]), 400, "malformed_request"],
    ["two keys", request("GET /api/v1/me HTTP/1.1", ["x-api-key: other"]), 400, "malformed_request"],
    [
      "two origins",
      request("GET /api/v1/me HTTP/1.1", ["Origin: https://a.test", "ORIGIN: https://b.test"]),
      400,
      "malformed_request",
    ],
    [
      "another transfer encoding",
      request("POST /api/v1/agents HTTP/1.1", [json, "Transfer-Encoding: gzip, chunked"], "0\r\n\r\n"),
      400,
      "malformed_request",
    ],
    [
      "an overridden method",
      request("POST /api/v1/sessions HTTP/1.1", ["X-HTTP-Method-Override: DELETE", "Content-Length: 0"]),
      400,
      "malformed_request",
    ],
    ["HTTP/1.0", request("GET /api/v1/me HTTP/1.0"), 426, "http_version"],
    ["10,000 parameters", request(`GET /api/v1/me?${"a&".repeat(3_000)} HTTP/1.1`), 400, "malformed_request"],
    ["a long address", request(`GET /api/v1/me?a=${"a".repeat(9_000)} HTTP/1.1`), 414, "url_too_long"],
    [
      "200 headers",
      request(
        "GET /api/v1/me HTTP/1.1",
        Array.from({ length: 200 }, (_, i) => `x-${i}: 1`),
      ),
      431,
      "too_many_headers",
    ],
    ["headers of 20 KiB", request("GET /api/v1/me HTTP/1.1", [`x: ${"a".repeat(20_000)}`]), 431],
    [
      "two lengths",
      request("POST /api/v1/agents HTTP/1.1", ["Content-Length: 2", "Content-Length: 3"], "{}"),
      400,
    ],
    [
      "a length and chunks",
      request(
        "POST /api/v1/agents HTTP/1.1",
        ["Content-Length: 2", "Transfer-Encoding: chunked"],
        "0\r\n\r\n",
      ),
      400,
    ],
    [
      "chunks that are not last",
      request("POST /api/v1/agents HTTP/1.1", ["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"),
      400,
    ],
    ["a header over two lines", request("GET /api/v1/me HTTP/1.1", ["X-A: b", " c"]), 400],
    ["a space before the colon", request("GET /api/v1/me HTTP/1.1", ["Content-Length : 0"]), 400],
    ["no host", "GET /api/v1/me HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    ["lines that end in LF", "GET /api/v1/me HTTP/1.1\nHost: a\n\n", 400],
    ["a backslash in the path", request("GET /api\\v1\\me HTTP/1.1"), 400],
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n", 400],
  ];

  it("is refused, and the connection with it", async () => {
    const { port } = await start();
    const answers = await Promise.all(
      refused.map(async ([what, text]) => {
        const answer = await rawExchange(port, text);
        return { what, statuses: statusesOf(answer), code: codeOf(answer) };
      }),
    );
    expect(answers).toEqual(refused.map(([what, , status, code]) => ({ what, statuses: [status], code })));
  });

  const hiding: readonly (readonly [string, readonly string[]])[] = [
    ["Content-Length then chunks", ["Content-Length: 60", "Transfer-Encoding: chunked"]],
    ["chunks then Content-Length", ["Transfer-Encoding: chunked", "Content-Length: 60"]],
    ["hidden chunks", ["Content-Length: 4", "Transfer-Encoding: xchunked"]],
    ["chunks with a tab", ["Content-Length: 4", "Transfer-Encoding:\tchunked"]],
  ];

  it("hides no second request behind the first", async () => {
    const { port, seen } = await start();
    const hidden = request("GET /api/v1/sessions HTTP/1.1");
    for (const [how, headers] of hiding) {
      const text = request("POST /api/v1/agents HTTP/1.1", [json, ...headers], `0\r\n\r\n${hidden}`);
      const answer = await rawExchange(port, text.replace("Connection: close\r\n", ""));
      expect({ how, statuses: statusesOf(answer) }).toEqual({ how, statuses: [400] });
    }
    expect(seen.filter((each) => each.startsWith("GET"))).toEqual([]);
  });

  it("does what its own method says and not a parameter's", async () => {
    const { api, port } = await start();
    await api.agent();
    const { id } = await api.session();
    const answer = await rawExchange(port, request(`GET /api/v1/sessions/${id}?_method=DELETE HTTP/1.1`));
    expect(statusesOf(answer)).toEqual([422]);
    expect((await api.get(`/sessions/${id}`)).status).toBe(200);
  });

  it("takes no method but those of its routes, and echoes nothing", async () => {
    const { port } = await start();
    for (const method of ["TRACE", "CONNECT", "FOO", "PROPFIND"]) {
      const answer = await rawExchange(port, request(`${method} /api/v1/me HTTP/1.1`));
      expect(answer).not.toContain(apiKey);
      const taken = statusesOf(answer).filter((status) => status < 400 || status >= 500);
      expect({ method, taken }).toEqual({ method, taken: [] });
    }
  });

  it("takes no form of several parts", async () => {
    const { api, port } = await start();
    await api.agent();
    const { id } = await api.session();
    const type = "Content-Type: multipart/form-data; boundary=x";
    const parts = `--x\r\nContent-Disposition: form-data; name="f"\r\n\r\na\r\n--x--`;
    const length = `Content-Length: ${parts.length}`;
    for (const line of ["POST /api/v1/agents HTTP/1.1", `PUT /api/v1/sessions/${id}/files/a.txt HTTP/1.1`]) {
      const answer = await rawExchange(port, request(line, [type, length], parts));
      expect({ line, code: codeOf(answer) }).toEqual({ line, code: "unsupported_media_type" });
    }
  });

  it("lets a plain one through, and what old load balancers ask", async () => {
    const { port, seen } = await start();
    expect(statusesOf(await rawExchange(port, request("GET /api/v1/me HTTP/1.1")))).toEqual([200]);
    expect(statusesOf(await rawExchange(port, "GET /healthz HTTP/1.0\r\n\r\n"))).toEqual([200]);
    expect(seen).toEqual(["GET /api/v1/me", "GET /healthz"]);
  });

  it("answers several on one connection in order, each once", async () => {
    const { port, seen } = await start();
    const client = rawClient(port);
    const keep = request("GET /api/v1/me HTTP/1.1").replace("Connection: close\r\n", "");
    client.write(keep + keep + request("GET /healthz HTTP/1.1"));
    expect(statusesOf(await client.closed)).toEqual([200, 200, 200]);
    expect(seen).toHaveLength(3);
  });
});
