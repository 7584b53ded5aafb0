import type { ModelProviderInfo, ModelProviderInput, Page } from "@berth/contract";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions } from "../pages.ts";

/** The model providers of the organization. */
export function createModelProviders(http: Http) {
  const path = (name: string) => `/model-providers/${encodeURIComponent(name)}`;
  return {
    list(options: CallOptions = {}): Promise<Page<ModelProviderInfo>> {
      return http.json({ method: "GET", path: "/model-providers", ...callOf(options) });
    },
    /** Makes or replaces one. A key that is left out stays. */
    put(name: string, provider: ModelProviderInput, options: ChangeOptions = {}): Promise<ModelProviderInfo> {
      return http.json({ method: "PUT", path: path(name), body: provider, ...callOf(options) });
    },
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      await http.json({ method: "DELETE", path: path(name), ...callOf(options) });
    },
  };
}
