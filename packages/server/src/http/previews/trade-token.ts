import type { IncomingMessage } from "node:http";
import type { OperationsContext } from "../../operations/context.ts";
import { previewToken } from "../../operations/sandbox-ports.ts";
import { isSecure, previewCookie } from "./preview-cookie.ts";
import type { Destination } from "./preview-host.ts";

/**
 * Where to send a browser that has a token in its address: to the same place without it, with a cookie instead. Null when the address
 * has none; `refused` when it is no good here.
 */
export function tradeToken(
  { previews, clock }: Pick<OperationsContext, "previews" | "clock">,
  request: IncomingMessage,
  destination: Destination,
): { readonly location: string; readonly cookie: string } | "refused" | null {
  const [path = "/", search] = (request.url ?? "/").split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const [token, ...others] = query.getAll(previewToken);
  if (token === undefined) return null;
  const label = destination === "api" ? null : destination.label;
  const grant = label === null ? null : previews.redeem(token, label);
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (grant === null || !isRead || others.length > 0) return "refused";
  query.delete(previewToken);
  const rest = query.size === 0 ? "" : `?${query.toString()}`;
  // Two slashes at the beginning, of either kind, would lead to another host.
  const location = `/${path.replace(/^[/\\]+/, "")}${rest}`;
  const maxAgeMs = grant.expiresAt - clock.now();
  return { location, cookie: previewCookie(token, { secure: isSecure(request), maxAgeMs }) };
}
