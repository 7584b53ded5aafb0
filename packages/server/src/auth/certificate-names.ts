import type { CertificateName } from "../store/identity.ts";
import type { PeerCertificate } from "./peer.ts";

/** What a certificate may be known by: its fingerprint and each of its names. */
export function certificateNames({ fingerprint, names }: PeerCertificate): readonly CertificateName[] {
  return [
    { kind: "fingerprint", value: fingerprint },
    ...names.map((value): CertificateName => ({ kind: "name", value })),
  ];
}
