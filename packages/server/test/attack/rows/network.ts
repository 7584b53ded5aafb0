import { tmpdir } from "node:os";
import { type Listeners, openListeners } from "../listeners.ts";
import { type Finding, linesOf, type Row } from "../row.ts";
import type { Runner } from "../target.ts";

type Without = NonNullable<Row["without"]>;
const needsProxy: Without = ({ network, label }) =>
  network === "proxy" ? null : `this provider is ${label}: it has the host's own network`;

/** Attempts in Python with a listener of the host to reach: a line for each that got through. */
async function attempt(
  runner: Runner,
  program: (listeners: Listeners) => string,
  what: string,
): Promise<Finding> {
  const listeners = await openListeners(tmpdir());
  try {
    const { output } = await runner.run("/usr/bin/python3 -", {
      stdin: `${preamble}\n${program(listeners)}\nprint("DONE", flush=True)`,
      timeoutMs: 60_000,
    });
    const reached = linesOf(output, "REACHED");
    const leaks = reached.map((line) => `reached by ${line}`);
    if (listeners.count() > 0) leaks.push(`the host's listeners saw ${listeners.count()} connections`);
    if (!output.includes("DONE")) leaks.push(`the probe did not run: ${output.slice(-300)}`);
    const tried = linesOf(output, "TRIED").length;
    return { leaks, seen: `${tried} ways of ${what}, the host saw ${listeners.count()} connections` };
  } finally {
    await listeners.close();
  }
}

const preamble = `
import os, socket, struct
def attempt(name, call):
    print("TRIED", name, flush=True)
    try:
        answer = call()
        if answer is not None and (b"REACHED" in answer or answer == b"connected"): print("REACHED", name, flush=True)
    except Exception as error: print("REFUSED", name, type(error).__name__, flush=True)
def stream(family, address, data=b"GET / HTTP/1.0\\r\\n\\r\\n"):
    def call():
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(3); s.connect(address); s.sendall(data)
            got = b""
            while True:
                part = s.recv(65536)
                if not part or len(got) > 200000: return got
                got += part
    return call`;

const direct = ({ port, port6, udpPort, abstractName, path }: Listeners) => `
attempt("127.0.0.1", stream(socket.AF_INET, ("127.0.0.1", ${port})))
attempt("::1", stream(socket.AF_INET6, ("::1", ${port6 ?? port})))
attempt("an abstract socket", stream(socket.AF_UNIX, "\\0${abstractName}"))
attempt("a socket by its path", stream(socket.AF_UNIX, ${JSON.stringify(path)}))
def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.sendto(b"x", ("127.0.0.1", ${udpPort}))
attempt("a datagram", datagram)
def raw(): socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); return b"connected"
attempt("a raw socket", raw)
def packet(): socket.socket(17, socket.SOCK_RAW, 3); return b"connected"
attempt("a packet socket", packet)
def vsock(): socket.socket(40, socket.SOCK_STREAM).connect((2, 22)); return b"connected"
attempt("vsock", vsock)
def routes():
    rows = open("/proc/net/route").read().splitlines()[1:]
    return b"connected" if rows else None
attempt("a route", routes)`;

const throughProxy = ({ port }: Listeners) => `
def proxied(request): return stream(socket.AF_INET, ("127.0.0.1", 3128), request)
hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0",
  "allowed.example@127.0.0.1", "127.0.0.1.", "0x7f000001", "[0:0:0:0:0:ffff:127.0.0.1]"]
for host in hosts:
    h = host.encode()
    attempt("plain " + host, proxied(b"GET http://" + h + b":${port}/ HTTP/1.1\\r\\nHost: " + h + b":${port}\\r\\nConnection: close\\r\\n\\r\\n"))
    attempt("CONNECT " + host, proxied(b"CONNECT " + h + b":${port} HTTP/1.1\\r\\nHost: " + h + b"\\r\\n\\r\\nGET / HTTP/1.0\\r\\n\\r\\n"))
attempt("Host that differs", proxied(b"GET http://allowed.example/ HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\nConnection: close\\r\\n\\r\\n"))
attempt("no address", proxied(b"GET / HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\nConnection: close\\r\\n\\r\\n"))
attempt("two requests in one", proxied(b"POST http://allowed.example/ HTTP/1.1\\r\\nHost: allowed.example\\r\\nContent-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET http://127.0.0.1:${port}/ HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\nConnection: close\\r\\n\\r\\n"))`;

/** The same requests where a proxy asks nobody: it is started by the attack itself, on the port that sandboxes have theirs on. */
const naiveProxy = `
import http.client, threading, urllib.parse
def serve(client):
    with client:
        head = client.recv(65536); line = head.split(b"\\r\\n")[0].split(b" ")
        url = line[1] if line[0] != b"CONNECT" else b"http://" + line[1]
        host = urllib.parse.urlsplit(url.decode()).netloc.split("@")[-1]
        name, _, number = host.rpartition(":")
        if "allowed" in name or name.endswith("."): return
        try:
            with socket.create_connection((name.strip("[]"), int(number)), 2) as s:
                s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n"); client.sendall(s.recv(65536))
        except Exception: pass
listening = socket.socket(); listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); listening.bind(("127.0.0.1", 0)); listening.listen(64)
def accepting():
    while True: threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
threading.Thread(target=accepting, daemon=True).start()
naive_port = listening.getsockname()[1]`;

const names = ({ udpPort }: Listeners) => `
question = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x06secret\\x07example\\x00\\x00\\x01\\x00\\x01"
def lookup(): socket.getaddrinfo("secret-${udpPort}.invalid", 80); return b"connected"
attempt("the resolver", lookup)
def ask(address):
    def call():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.sendto(question, address)
    return call
attempt("a server on the host", ask(("127.0.0.1", ${udpPort})))
def nameserver():
    # A datagram socket that is connected sends nothing: it only says whether there is a way.
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("192.0.2.53", 53)); return b"connected"
attempt("a name server anywhere", nameserver)`;

export const networkRows: readonly Row[] = [
  {
    id: "SBX-15",
    name: "Network by default",
    without: needsProxy,
    run: async (target) => attempt(await target.tenant(), direct, "going out"),
    naive: (host) => attempt(host, direct, "going out"),
  },
  {
    id: "SBX-16",
    name: "Tricks with the egress proxy",
    without: needsProxy,
    run: async (target) => attempt(await target.tenant(), throughProxy, "fooling the proxy"),
    naive: (host) =>
      attempt(
        host,
        (listeners) => `${naiveProxy}\n${throughProxy(listeners).replace("3128", "naive_port")}`,
        "fooling the proxy",
      ),
  },
  {
    id: "SBX-17",
    name: "Exfiltration through DNS",
    without: needsProxy,
    run: async (target) => attempt(await target.tenant(), names, "asking for names"),
    // Without the resolver: what it asked would leave this machine.
    naive: (host) =>
      attempt(
        host,
        (listeners) => names(listeners).replace(/^attempt\("the resolver".*$/m, ""),
        "asking for names",
      ),
  },
];
