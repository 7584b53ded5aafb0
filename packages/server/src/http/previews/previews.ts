import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type AdmitOptions, createAdmit } from "./admit.ts";
import { createDuring, type DuringOptions } from "./during.ts";
import { destinationOf } from "./preview-host.ts";
import { type ProxyLimits, proxyRequest, proxyUpgrade } from "./proxy.ts";
import { plain, refusalOf, refuse, refuseSocket } from "./refusal.ts";
import { tradeToken } from "./trade-token.ts";

export interface PreviewsOptions extends AdmitOptions, DuringOptions {
  readonly limits?: Partial<ProxyLimits>;
}

/** Ports of sandboxes, each on a host name of its own beside the API's. */
export interface Previews {
  /** Whether this request is for a preview; then it is nothing of the API's. */
  takes(request: IncomingMessage): boolean;
  request(request: IncomingMessage, response: ServerResponse): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** Cuts what is open. */
  close(): void;
}

const defaultLimits: ProxyLimits = { bodyBytes: 104_857_600, idleMs: 300_000, openMs: 30_000 };

export function createPreviews(options: PreviewsOptions): Previews {
  const { operations } = options;
  const { settings, telemetry, clock } = operations;
  const domain = settings.previewDomain;
  const limits = { ...defaultLimits, ...options.limits };
  const closing = new AbortController();
  const { admit, refused } = createAdmit(options, closing.signal);
  const during = createDuring(options, closing.signal);

  return {
    takes: ({ headers }) => destinationOf(headers.host, domain) !== "api",

    async request(request, response) {
      response.on("error", () => {});
      const destination = destinationOf(request.headers.host, domain);
      try {
        const traded = tradeToken(operations, request, destination);
        if (traded === "refused") return refuse(response, await refused(request));
        if (traded !== null) {
          const headers = { location: traded.location, "set-cookie": traded.cookie };
          response.writeHead(302, { ...plain, ...headers }).end();
          return;
        }
        const admitted = await admit(request, destination);
        if ("status" in admitted) {
          telemetry.previewAsked({ outcome: "refused" });
          return refuse(response, admitted);
        }
        const { grant, sandbox, secure } = admitted;
        await during(admitted, request, (signal) =>
          proxyRequest({ sandbox, port: grant.port, request, secure, signal, limits, clock }, response),
        );
        telemetry.previewAsked({ outcome: "proxied" });
      } catch (error) {
        telemetry.previewAsked({ outcome: "failed" });
        if (response.headersSent) response.destroy();
        else refuse(response, refusalOf(error));
      }
    },

    async upgrade(request, socket, head) {
      socket.on("error", () => {});
      try {
        const admitted = await admit(request, destinationOf(request.headers.host, domain));
        if ("status" in admitted) {
          telemetry.previewAsked({ outcome: "refused" });
          return refuseSocket(socket, admitted);
        }
        const { grant, sandbox, secure } = admitted;
        await during(admitted, request, (signal) =>
          proxyUpgrade({ sandbox, port: grant.port, request, secure, signal, limits, clock }, socket, head),
        );
        telemetry.previewAsked({ outcome: "proxied" });
      } catch (error) {
        telemetry.previewAsked({ outcome: "failed" });
        if (!socket.destroyed) refuseSocket(socket, refusalOf(error));
      }
    },

    close: () => closing.abort(),
  };
}
