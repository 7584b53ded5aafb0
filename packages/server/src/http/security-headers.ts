/** On every response that does not set its own. Answers are never kept by caches, never run as a page and never guessed at. */
export const securityHeaders: readonly (readonly [name: string, value: string])[] = [
  ["cache-control", "no-store"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "no-referrer"],
  ["cross-origin-opener-policy", "same-origin"],
  ["cross-origin-resource-policy", "same-origin"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
];

/** On every response over TLS: from then on browsers come in no other way. */
export const transportSecurity = ["strict-transport-security", "max-age=31536000"] as const;
