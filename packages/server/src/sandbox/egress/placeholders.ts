import type { EgressSecret } from "../sandbox.ts";

/** Names and values by turns, as Node gives headers. */
export type RawHeaders = readonly string[];

/** The headers with the secrets in their placeholders' places, also inside Basic credentials. */
export function fillPlaceholders(headers: RawHeaders, secrets: readonly EgressSecret[]): string[] {
  return mapValues(headers, (value) => within(value, (text) => filled(text, secrets)));
}

/** Whether the placeholder of one of them stands in a request's headers or address. */
export function mentions(
  { headers, path }: { readonly headers: RawHeaders; readonly path: string },
  secrets: readonly EgressSecret[],
): boolean {
  if (secrets.length === 0) return false;
  const holds = (text: string) => secrets.some(({ placeholder }) => text.includes(placeholder));
  return (
    holds(path) ||
    headers.some((text, at) => at % 2 === 1 && (holds(text) || holds(basicOf(text)?.plain ?? "")))
  );
}

/** The headers of an answer with the placeholders in the secrets' places again. */
export function strikeSecrets(headers: RawHeaders, secrets: readonly EgressSecret[]): string[] {
  return mapValues(headers, (value) =>
    within(value, (text) =>
      secrets.reduce(
        (rest, secret) =>
          formsOf(secret).reduce((left, form) => left.replaceAll(form, secret.placeholder), rest),
        text,
      ),
    ),
  );
}

function formsOf({ value }: EgressSecret): readonly string[] {
  return [value, encodeURIComponent(value), Buffer.from(value).toString("base64")];
}

function filled(text: string, secrets: readonly EgressSecret[]): string {
  return secrets.reduce((rest, { placeholder, value }) => rest.replaceAll(placeholder, () => value), text);
}

/** Changes a value, and what Basic credentials in it say. */
function within(value: string, change: (text: string) => string): string {
  const basic = basicOf(value);
  if (basic === null) return change(value);
  const plain = change(basic.plain);
  return plain === basic.plain
    ? change(value)
    : `${basic.scheme} ${Buffer.from(plain, "latin1").toString("base64")}`;
}

function basicOf(value: string): { readonly scheme: string; readonly plain: string } | null {
  const [, scheme, coded] = /^(basic) +([A-Za-z0-9+/]{1,16384}={0,2})$/i.exec(value) ?? [];
  if (scheme === undefined || coded === undefined) return null;
  return { scheme, plain: Buffer.from(coded, "base64").toString("latin1") };
}

function mapValues(headers: RawHeaders, change: (value: string) => string): string[] {
  return headers.map((text, at) => (at % 2 === 1 ? change(text) : text));
}
