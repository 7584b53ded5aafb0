import type { IncomingMessage } from "node:http";
import type { Authenticator } from "../../auth/authenticator.ts";
import type { PreviewGrant } from "../../auth/preview-grants.ts";
import type { Principal } from "../../auth/principal.ts";
import type { OperationsContext } from "../../operations/context.ts";
import { previewedSandbox, type PreviewedSandbox } from "../../operations/sandbox-ports.ts";
import type { Edge } from "../edge.ts";
import { requireOrderly } from "../orderly-request.ts";
import { peerOf } from "../peer.ts";
import { shuttingDown } from "../../operations/unless-stopping.ts";
import { isSecure, previewTokenOf } from "./preview-cookie.ts";
import type { Destination } from "./preview-host.ts";
import { foreignPage, noSuchPreview, type Refusal } from "./refusal.ts";
import { comesFromOwn } from "./same-sandbox.ts";

export interface AdmitOptions {
  readonly operations: OperationsContext;
  readonly authenticator: Pick<Authenticator, "recheck">;
  readonly edge: Edge;
}

/** A request that may go to its sandbox. */
export interface Admitted {
  readonly grant: PreviewGrant;
  readonly token: string;
  readonly principal: Principal;
  readonly sandbox: PreviewedSandbox;
  readonly secure: boolean;
}

/** Looks at each request anew: its token, who opened the port and may use the sandbox now, and that the sandbox lives. */
export function createAdmit(options: AdmitOptions, closing: AbortSignal) {
  const { operations, authenticator, edge } = options;
  const { settings, previews } = operations;

  async function admit(request: IncomingMessage, destination: Destination): Promise<Admitted | Refusal> {
    if (closing.aborted) return { status: 503, text: shuttingDown().message };
    if (edge.overload.isOverloaded) return { status: 503, text: "The server has too much to do: try again." };
    requireOrderly(request, edge.urlBytes);
    if (destination === "api" || destination.label === null) return noSuchPreview;
    if (request.url?.startsWith("/") !== true) return { status: 400, text: "This request cannot be read." };
    const secure = isSecure(request);
    const token = previewTokenOf(request.headers.cookie, secure);
    const grant = token === null ? null : previews.redeem(token, destination.label);
    if (token === null || grant === null) return refused(request);
    const siblings = previews.list(grant.orgId, grant.sandboxId);
    if (!comesFromOwn(request, { host: destination.host, domain: settings.previewDomain, siblings }))
      return foreignPage;
    const now = await authenticator.recheck(grant.principal);
    if (now === null) return refused(request);
    await edge.admission.checkAddress(now, peerOf(request));
    const sandbox = await previewedSandbox(operations, now, grant);
    return sandbox === null ? noSuchPreview : { grant, token, principal: now, sandbox, secure };
  }

  async function refused(request: IncomingMessage): Promise<Refusal> {
    await edge.admission.turnAway(peerOf(request));
    return noSuchPreview;
  }

  return { admit, refused };
}
