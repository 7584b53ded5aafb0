import type { Secret } from "../lib/secret.ts";

const mark = "[secret]";

/** A field with such a name is never printed. `key` alone is not among them: a session's key is the caller's own name for it. */
const secretName =
  /(^|[^a-z])(authorization|cookie|set-cookie|password|passwd|passphrase|secret|token|ticket|credentials?|(api|admin|private|secret|access|signing|encryption)[-_]?key)$/i;

/** What looks like a secret wherever it stands: our own keys and tickets, providers' keys, authorization headers, passwords in URLs. */
const secretShapes = [
  /\b(?:brt|tkt|ivt|lgn|csr|shr)_[A-Za-z0-9_-]{43,}/g,
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

export interface Redactor {
  /** From now on this value is struck out wherever it stands, also as JSON and URLs write it. Values under 6 characters are not. */
  add(secret: Secret): void;
  /** The text without secrets: known values and what has the shape of one become `[secret]`. */
  text(text: string): string;
  /** The text without known values alone: for what agents work with, where a shape may be their own business. */
  values(text: string): string;
}

export function createRedactor(): Redactor {
  const values = new Set<string>();
  let known: RegExp | null = null;

  const withoutKnown = (text: string) => (known === null ? text : text.replace(known, mark));

  return {
    add(secret) {
      const value = secret.reveal();
      if (value.length < shortestValue) return;
      for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])
        values.add(form);
      const longestFirst = [...values].toSorted((a, b) => b.length - a.length);
      known = new RegExp(
        longestFirst.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"),
        "g",
      );
    },
    text: (text) => secretShapes.reduce((rest, shape) => rest.replace(shape, mark), withoutKnown(text)),
    values: withoutKnown,
  };
}
