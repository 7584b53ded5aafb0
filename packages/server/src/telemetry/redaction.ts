import { isIP } from "node:net";
import type { Secret } from "../lib/secret.ts";
import { KnownValues, secretMark } from "./known-values.ts";

/** A field with such a name is never printed. `key` alone is not among them: a session's key is the caller's own name for it. */
const secretName =
  /(^|[^a-z])(authorization|cookie|set-cookie|password|passwd|passphrase|secret|token|ticket|credentials?|(api|admin|private|secret|access|signing|encryption)[-_]?key)$/i;

/** What looks like a secret wherever it stands: our own keys and tickets, signed tokens, providers' keys, authorization headers, passwords in URLs. */
const secretShapes = [
  /\b(?:brt|tkt|ivt|lgn|csr|shr|sgn)_[A-Za-z0-9_-]{43,}/g,
  // Signed tokens of identity providers.
  /\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*/g,
  /\b(?:sk|xai|gsk|pk|rk)-[A-Za-z0-9_-]{16,}/g,
  /(?<=\b(?:Bearer|Basic) )[A-Za-z0-9._~+/=-]{8,}/gi,
  /(?<=:\/\/[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)/g,
];

/** A shorter value is not looked for: it would blacken half of what is logged. */
const shortestValue = 6;

/** Camel case counts as words: `openaiApiKey` ends in an api key, `maxTokens` in no token. */
export function isSecretName(name: string): boolean {
  return secretName.test(name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_"));
}

/** Tenants' values that are looked for at once: in logs (1,000 make a line of 300 characters cost 6 us), scopes, and in each of them. */
const most = { inLogs: 1_000, scopes: 1_000, inScope: 100 };

/** Whose secret it is: an organization, or one of its users. */
export interface SecretScope {
  readonly orgId: string;
  readonly owner: string;
}

export interface Redactor {
  /** From now on this value is struck out wherever it stands, also as JSON and URLs write it. Values under 6 characters are not. */
  add(secret: Secret): void;
  /**
   * A secret that a tenant chose. It is struck out of what the tenant's own agents work with; from logs only if it can be nothing
   * but a key: nobody may blacken somebody else's text by calling a word of it a secret. The oldest are forgotten.
   */
  remember(secret: Secret, scope: SecretScope): void;
  /** The text without secrets: known values and what has the shape of one become `[secret]`. */
  text(text: string): string;
  /** The text without known values alone, the server's and those of a session's owner and organization: for what agents work with. */
  values(text: string, scope?: SecretScope): string;
}

export function createRedactor(): Redactor {
  const own = new KnownValues(Number.POSITIVE_INFINITY);
  const inLogs = new KnownValues(most.inLogs);
  const scopes = new Map<string, KnownValues>();

  return {
    add(secret) {
      const value = secret.reveal();
      if (value.length >= shortestValue) own.add(value);
    },
    remember(secret, scope) {
      const value = secret.reveal();
      if (value.length < shortestValue) return;
      if (isSurelyKey(value)) inLogs.add(value);
      const name = nameOf(scope);
      const values = scopes.get(name) ?? new KnownValues(most.inScope);
      values.add(value);
      scopes.delete(name);
      scopes.set(name, values);
      const [oldest] = scopes.keys();
      if (scopes.size > most.scopes && oldest !== undefined) scopes.delete(oldest);
    },
    text: (text) =>
      secretShapes.reduce(
        (rest, shape) => rest.replace(shape, secretMark),
        inLogs.strikeFrom(own.strikeFrom(text)),
      ),
    values(text, scope) {
      const rest = own.strikeFrom(text);
      if (scope === undefined || scopes.size === 0) return rest;
      const { orgId } = scope;
      return [scope, { orgId, owner: "" }].reduce(
        (left, one) => scopes.get(nameOf(one))?.strikeFrom(left) ?? left,
        rest,
      );
    },
  };
}

function nameOf({ orgId, owner }: SecretScope): string {
  return `${orgId}/${owner}`;
}

/** Long, with letters and digits, and neither an id of ours nor an address. */
function isSurelyKey(value: string): boolean {
  if (value.length < 16 || !/[A-Za-z]/.test(value) || !/\d/.test(value)) return false;
  return !/\b[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}/.test(value) && isIP(value) === 0;
}
