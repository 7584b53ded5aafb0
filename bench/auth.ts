// What it costs to know who calls and what they may do: CPU of the server for one request in mode multi, by API key and by a token of
// an identity provider (both remembered from the request before, as in use), beside the same request in mode single.
//   npm run bench -- auth [--requests 4000] [--rounds 7] [--other checkout] [--json file] [--dir folder]
// --other names a checkout of an older commit, whose server in mode single is measured as well.
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Pool } from "undici";
import { newKeyText } from "../packages/server/src/auth/server-keys.ts";
import { about } from "./support/about.ts";
import { type BerthServer, startBerth } from "./support/berth-server.ts";
import { median } from "./support/machine.ts";
import { pathOf, readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { cpuMs } from "./support/process-use.ts";
import { tell } from "./support/tell.ts";

const options = readOptions({ requests: 4_000, rounds: 7 }, { texts: { other: "CHECKOUT (folder)" } });
const { requests, rounds } = options;
const concurrency = 16;
const folder = makeFolder(options.dir);

interface Contender {
  readonly name: string;
  readonly server: BerthServer;
  readonly authorization: string;
  readonly sessionId: string;
  readonly pool: Pool;
}

/** What is asked for, of the caller's own session. */
const asks: Readonly<Record<string, (sessionId: string) => string>> = {
  "GET a session": (id) => `/api/v1/sessions/${id}`,
  "GET its events": (id) => `/api/v1/sessions/${id}/events?after=0&limit=50`,
};

async function call<T>(
  server: BerthServer,
  { path, body, key = server.adminKey, org }: { path: string; body: unknown; key?: string; org?: string },
): Promise<T> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      ...(org !== undefined && { "x-berth-org": org }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** A session to ask for, made with the credential that will ask. */
async function contender(name: string, server: BerthServer, key: string): Promise<Contender> {
  const agent = `bench-${name.replaceAll(/\W/g, "").toLowerCase()}`;
  await call(server, {
    path: "/agents",
    key,
    body: { name: agent, model: "demo/tour" },
  });
  const made = await call<{ id: string }>(server, {
    path: "/sessions",
    key,
    body: { agent },
  });
  const pool = new Pool(server.url, { connections: concurrency });
  return { name, server, authorization: `Bearer ${key}`, sessionId: made.id, pool };
}

/** An identity provider, as far as its public keys go. */
async function identityProvider() {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "bench", alg: "ES256", use: "sig" };
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const token = () =>
    new SignJWT({ name: "Bench", org: "bench" })
      .setProtectedHeader({ alg: "ES256", kid: "bench" })
      .setIssuer(url)
      .setAudience("berth")
      .setSubject("bench")
      .setIssuedAt()
      .setNotBefore("0s")
      .setExpirationTime("1h")
      .sign(privateKey);
  return { url, token, close: () => server.close() };
}

async function measure({ pool, server, authorization, sessionId }: Contender, ask: (id: string) => string) {
  const path = ask(sessionId);
  let left = requests;
  const before = cpuMs(server.pid);
  const began = performance.now();
  const worker = async () => {
    while (left-- > 0) {
      const response = await pool.request({ method: "GET", path, headers: { authorization } });
      const text = await response.body.text();
      if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return {
    cpu: (cpuMs(server.pid) - before) / requests,
    perSecond: requests / ((performance.now() - began) / 1_000),
  };
}

const where = about();
const provider = await identityProvider();
const config = { rateRead: "100000000/1m", rateWrite: "100000000/1m" };
const single = await startBerth({ data: join(folder, "single"), config });
const multi = await startBerth({
  data: join(folder, "multi"),
  config: {
    ...config,
    mode: "multi",
    jwtIssuers: [
      {
        issuer: provider.url,
        jwksUri: provider.url,
        audience: "berth",
        orgClaim: "org",
        provision: true,
        defaultRole: "admin",
      },
    ],
  },
  env: { BERTH_MASTER_KEY: newKeyText(), BERTH_KEY_PEPPER: newKeyText(), BERTH_AUDIT_KEY: newKeyText() },
});
const other =
  options.other === null
    ? null
    : await startBerth({ data: join(folder, "other"), checkout: pathOf(options.other) });
const contenders: Contender[] = [];
try {
  const org = await call<{ id: string }>(multi, { path: "/orgs", body: { slug: "bench", name: "Bench" } });
  const account = await call<{ id: string }>(multi, {
    path: "/service-accounts",
    body: { name: "bench", role: "admin" },
    org: org.id,
  });
  const key = await call<{ key: string }>(multi, {
    path: "/api-keys",
    body: { name: "bench", owner: account.id },
    org: org.id,
  });
  contenders.push(await contender("single, admin key", single, single.adminKey));
  contenders.push(await contender("multi, API key", multi, key.key));
  contenders.push(await contender("multi, JWT", multi, await provider.token()));
  if (other !== null) contenders.push(await contender("other, admin key", other, other.adminKey));
  const found = new Map<string, { cpu: number; perSecond: number }[]>();
  for (let round = -1; round < rounds; round++) {
    for (const [ask, request] of Object.entries(asks)) {
      for (const one of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const figures = await measure(one, request);
        // The first round warms up.
        if (round >= 0)
          found.set(`${ask}/${one.name}`, [...(found.get(`${ask}/${one.name}`) ?? []), figures]);
      }
    }
  }
  const figuresOf = (ask: string, name: string) => {
    const [all, base] = [found.get(`${ask}/${name}`) ?? [], found.get(`${ask}/single, admin key`) ?? []];
    const cpu = median(all.map((one) => one.cpu));
    return {
      cpuUs: 1_000 * cpu,
      perSecond: median(all.map((one) => one.perSecond)),
      toSingle: cpu / median(base.map((one) => one.cpu)),
    };
  };
  tell({
    about: where,
    settings: `${requests} requests at ${concurrency} at once, ${rounds} interleaved rounds, medians; CPU of the whole server process`,
    results: Object.fromEntries(found),
    rows: [
      ["request", "who", "CPU us", "requests/s", "CPU to single"],
      ...Object.keys(asks).flatMap((ask) =>
        contenders.map(({ name }) => {
          const { cpuUs, perSecond, toSingle } = figuresOf(ask, name);
          return [ask, name, cpuUs.toFixed(0), perSecond.toFixed(0), toSingle.toFixed(2)];
        }),
      ),
    ],
    verdicts: Object.keys(asks).flatMap((ask) =>
      ["multi, API key", "multi, JWT"].map((name) => ({
        id: "",
        what: `${ask}, ${name}, CPU to single`,
        value: figuresOf(ask, name).toSingle,
        target: 1.15,
        beyond: null,
      })),
    ),
    options,
  });
} finally {
  for (const { pool } of contenders) await pool.close();
  await Promise.all([single.stop(), multi.stop(), other?.stop()]);
  provider.close();
  rmSync(folder, { recursive: true });
}
