/** What a request's Host header leads to: the API, or the preview with this label (null: of no preview that can be). */
export type Destination = "api" | { readonly label: string | null; readonly host: string };

/** Every name below the previews' domain is a preview's, however it is written, and no other name is. */
export function destinationOf(host: string | undefined, domain: string | null): Destination {
  if (host === undefined || domain === null) return "api";
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.+$/, "");
  if (!name.endsWith(`.${domain}`)) return "api";
  const label = name.slice(0, -domain.length - 1);
  return { label: /^p[0-9a-z]{25}$/.test(label) ? label : null, host: host.toLowerCase() };
}
