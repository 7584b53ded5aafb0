import "reflect-metadata";
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type JsonGeneralName,
  type X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const hour = 3_600_000;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly serialNumber: string;
}

export interface Leaf {
  readonly names?: readonly JsonGeneralName[];
  readonly validForMs?: number;
  readonly serialNumber?: string;
}

/** An authority that a test makes for itself. */
export interface Authority {
  /** PEM */
  readonly cert: string;
  issue(name: string, leaf?: Leaf): Promise<Certificate>;
  /** What it has revoked, as PEM. */
  revocations(...revoked: readonly Certificate[]): Promise<string>;
}

const newKeys = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

async function pemOf(keys: Awaited<ReturnType<typeof newKeys>>): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
}

export async function createAuthority(name: string): Promise<Authority> {
  const keys = await newKeys();
  const ca: X509Certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 48 * hour),
    notAfter: new Date(Date.now() + 48 * hour),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  let issued = 1;
  return {
    cert: ca.toString("pem"),

    async issue(commonName, { names = [], validForMs = hour, serialNumber } = {}) {
      const own = await newKeys();
      const serial = serialNumber ?? (issued += 1).toString(16).padStart(2, "0");
      const leaf = await X509CertificateGenerator.create({
        serialNumber: serial,
        subject: `CN=${commonName}`,
        issuer: ca.subject,
        notBefore: new Date(Date.now() - 24 * hour),
        notAfter: new Date(Date.now() + validForMs),
        signingKey: keys.privateKey,
        publicKey: own.publicKey,
        signingAlgorithm: algorithm,
        extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension([...names])],
      });
      return { cert: leaf.toString("pem"), key: await pemOf(own), serialNumber: serial };
    },

    async revocations(...revoked) {
      const list = await X509CrlGenerator.create({
        issuer: ca.subject,
        thisUpdate: new Date(Date.now() - hour),
        nextUpdate: new Date(Date.now() + 24 * hour),
        signingAlgorithm: algorithm,
        signingKey: keys.privateKey,
        entries: revoked.map(({ serialNumber }) => ({ serialNumber, revocationDate: new Date() })),
      });
      // The library writes a label of its own.
      return list.toString("pem").replaceAll(" CRL-----", " X509 CRL-----");
    },
  };
}
