import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../auth/peer.ts";

/** The certificate of a connection's client: only of one that TLS has verified against our authority and its revocations. */
export function certificateOf(socket: Socket): PeerCertificate | null {
  if (!isTls(socket) || !socket.authorized) return null;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? null : described(certificate);
}

/** Whether TLS ends here. */
export function isTls(socket: Socket): socket is TLSSocket {
  return "encrypted" in socket && socket.encrypted === true;
}

function described({ fingerprint256, subjectAltName, validToDate }: X509Certificate): PeerCertificate {
  return {
    fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
    names: subjectNames(subjectAltName),
    expiresAt: validToDate.getTime(),
  };
}

const entry = /(DNS|URI|email|IP Address):("(?:[^"\\]|\\.)*"|[^",]+)(?:, |$)/y;

/**
 * Names as Node writes them, `DNS:worker.example, URI:spiffe://…`, which quotes one that could pass for several. A list that holds
 * anything else or is written in another way has no names at all.
 */
export function subjectNames(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const names: string[] = [];
  entry.lastIndex = 0;
  while (entry.lastIndex < text.length) {
    const [, kind = "", name = ""] = entry.exec(text) ?? [];
    if (kind === "") return [];
    // A name that needs quotes holds what no name that we map holds.
    if (!name.startsWith('"')) names.push(`${kind}:${name}`);
  }
  return names;
}
