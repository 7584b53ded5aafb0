import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Preview, SandboxInfo } from "@berth/contract";
import { afterEach } from "vitest";
import type { Principal } from "../../../src/auth/principal.ts";
import { apiKey, type NetServer, useNetServer } from "../network/net-server.ts";
import { askHost } from "./ask-host.ts";

/** Starts a server with one sandbox, and servers of this machine that count as the sandbox's. All end after the test. */
export function usePreviews() {
  const open = useNetServer();
  const inside: Server[] = [];
  afterEach(async () => {
    for (const server of inside.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
  const listen = async (answer: RequestListener) => {
    const started = await listenInside(answer);
    inside.push(started.server);
    return started;
  };
  return {
    listen,
    setUp: (answer: RequestListener = (_, response) => response.end("hello")) =>
      setUp(open, { answer, listen }),
  };
}

type Listen = typeof listenInside;

async function listenInside(answer: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

async function setUp(
  open: ReturnType<typeof useNetServer>,
  { answer, listen }: { readonly answer: RequestListener; readonly listen: Listen },
) {
  let current: Principal | null = null;
  const net: NetServer = await open({
    api: { plain: {} },
    authenticator: {
      authenticate: async () => current ?? net.api.principal,
      recheck: async (principal) => (current === null ? principal : current.id === "gone" ? null : current),
    },
  });
  const { api } = net;
  await api.agent();
  const session = await api.session();
  const box = (await api.post("/sandboxes", { sessionId: session.id })).json<SandboxInfo>();
  const { port, server } = await listen(answer);
  const plain = api.plain.plain(box.id);
  plain.ownPorts.add(port);
  const preview = async (of = port, ttlMs = 60_000, id = box.id) => {
    const reply = await fetch(`${net.url}/api/v1/sandboxes/${id}/ports`, {
      method: "POST",
      headers: { "x-api-key": apiKey, "content-type": "application/json" },
      body: JSON.stringify({ port: of, ttlMs }),
    });
    return new URL(((await reply.json()) as Preview).url);
  };
  /** The cookie that the address is traded for. */
  const enter = async (url: URL) => {
    const reply = await askHost(net.port, url);
    return (reply.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? "";
  };
  return { net, api, session, box, port, server, plain, preview, enter, as: (p: Principal) => (current = p) };
}
