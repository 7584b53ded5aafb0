import { BerthError } from "../../lib/errors.ts";

/** Something went wrong between server and host: what came was not an answer. */
export class HostFailure extends Error {
  /** `unsent`: it cannot have begun. `cut`: it may have. `late`: no answer in time. `wrong`: an answer that breaks the rules. */
  readonly kind: "unsent" | "cut" | "late" | "wrong";

  constructor(kind: HostFailure["kind"], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "HostFailure";
    this.kind = kind;
  }
}

/** What callers of the provider are told. */
export function failureOf(host: string, thrown: unknown): unknown {
  if (!(thrown instanceof HostFailure)) return thrown;
  const { kind, message } = thrown;
  const code = kind === "late" ? "sandbox_timeout" : "sandbox_host_error";
  return new BerthError(code, `Sandbox host ${host} ${message}.`, { retryable: true, cause: thrown });
}

const unsentCodes: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection refused: nothing listens there"],
  ["ENOTFOUND", "its name is not known"],
  ["EHOSTUNREACH", "no way to its address"],
  ["ENETUNREACH", "no way to its network"],
  ["EAI_AGAIN", "its name cannot be looked up now"],
  ["UND_ERR_CONNECT_TIMEOUT", "no answer to a connection"],
]);

/** What the transport throws, as a failure. Certificates count as unsent: nothing was sent to who showed a wrong one. */
export function transportFailure(thrown: unknown): HostFailure {
  if (thrown instanceof HostFailure) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const text = typeof code === "string" ? code : "unknown";
  const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(text);
  if (isCertificate)
    return new HostFailure("unsent", `shows a certificate that is not trusted (${text})`, thrown);
  if (unsentCodes.has(text))
    return new HostFailure("unsent", `cannot be reached (${unsentCodes.get(text)})`, thrown);
  return new HostFailure("cut", `broke the connection (${text})`, thrown);
}
