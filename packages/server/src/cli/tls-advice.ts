const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** What to do when it is TLS that keeps a connection from being made; null when it is something else. */
export function tlsAdvice(thrown: unknown): string | null {
  for (const code of codesOf(thrown)) {
    if (untrusted.has(code)) {
      return "This machine does not know the authority of the server's certificate: name it with --ca FILE or BERTH_CA.";
    }
    if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
      return "The server's certificate is for another name: use a name that it has with --url.";
    }
    if (code === "CERT_HAS_EXPIRED")
      return "The server's certificate has expired: its operator has to renew it.";
    if (code.includes("ALERT_CERTIFICATE_REQUIRED") || code.includes("HANDSHAKE_FAILURE")) {
      return "The server wants a certificate: show one with --client-cert FILE and --client-key FILE.";
    }
  }
  return null;
}

function codesOf(thrown: unknown): readonly string[] {
  const codes: string[] = [];
  for (let error = thrown; error instanceof Error && codes.length < 10; error = error.cause) {
    codes.push("code" in error ? String(error.code) : "");
  }
  return codes;
}
