import { Secret } from "../lib/secret.ts";

/** Every secret within a configuration, for the redactor of the logs. */
export function secretsOf(value: unknown): readonly Secret[] {
  if (value instanceof Secret) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(secretsOf);
}
