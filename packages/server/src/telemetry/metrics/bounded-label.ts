/**
 * Guards a label whose values come from a list that this module does not know (routes, providers, error codes): the first `limit`
 * values keep their name, all others become `other`. A mistake elsewhere then costs a blurred label, not the memory of the server.
 */
export function boundedLabel(limit: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= limit) return "other";
    seen.add(value);
    return value;
  };
}
