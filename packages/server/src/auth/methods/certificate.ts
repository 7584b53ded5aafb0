import type { Store } from "../../store/store.ts";
import { certificateNames } from "../certificate-names.ts";
import type { RequestMethod } from "../method.ts";
import type { OrgChoice } from "../org-choice.ts";
import type { PeerCertificate } from "../peer.ts";
import { principalOf } from "../principal-of.ts";
import type { Credential, Principal } from "../principal.ts";
import { type OriginRules, refuseForeignChange } from "../same-origin.ts";
import type { ShortMemory } from "../short-memory.ts";

export interface CertificateOptions {
  readonly store: Store;
  readonly orgs: OrgChoice;
  readonly memory: ShortMemory<Principal>;
  /** Of pages that may change something with a browser's certificate, besides the server's own. */
  readonly origins: OriginRules;
}

/**
 * A client certificate that TLS has verified, mapped to a service account. It comes from the socket and never from a header. What the
 * certificate is known by is kept beside the credential, so that an open stream can be looked at again.
 */
export function certificateMethod({ store, orgs, memory, origins }: CertificateOptions): RequestMethod {
  const { identity } = store.system;
  const shown = new WeakMap<Credential, PeerCertificate>();

  async function look(certificate: PeerCertificate, credential: Credential): Promise<Principal | null> {
    return principalOf(await identity.findByCertificate(certificateNames(certificate)), { credential });
  }

  return {
    kind: "certificate",
    isOffered: ({ peer }) => peer.certificate !== null,

    async authenticate(presented) {
      const { certificate } = presented.peer;
      if (certificate === null) return null;
      refuseForeignChange(presented, origins);
      const { fingerprint, expiresAt } = certificate;
      const key = `certificate ${fingerprint}`;
      const known = memory.get(key);
      const credential: Credential = { kind: "certificate", id: fingerprint, expiresAt };
      const principal = known ?? (await look(certificate, credential));
      if (principal === null) return null;
      if (known === undefined) {
        shown.set(credential, certificate);
        memory.set(key, principal.orgId, principal);
      }
      await orgs.requireOnly(principal.orgId, presented);
      return principal;
    },

    async recheck({ credential, orgId }) {
      const certificate = shown.get(credential);
      const now = certificate === undefined ? null : await look(certificate, credential);
      return now?.orgId === orgId ? now : null;
    },
  };
}
