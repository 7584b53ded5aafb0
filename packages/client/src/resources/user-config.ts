import type {
  SharedLinkInput,
  SpFragmentInput,
  UserConfig,
  UserConfigInput,
  UserModelProvidersInput,
} from "@berth/contract";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions } from "../pages.ts";

/** What a change takes that others may make at the same time. */
type VersionedOptions = ChangeOptions & {
  /** Only when that is still the version; else it rejects with `version_mismatch`. */
  readonly ifVersion?: number;
};

const path = "/user-config";

/** The caller's own config. */
export function createUserConfig(http: Http) {
  const change = (
    what: {
      readonly method: "POST" | "PUT" | "DELETE";
      readonly at: string;
      readonly body?: unknown;
      readonly query?: { readonly id: string };
    },
    options: VersionedOptions = {},
  ): Promise<UserConfig> => {
    const { at, ...request } = what;
    const { ifVersion } = options;
    const headers = ifVersion === undefined ? {} : { "if-match": `"${ifVersion}"` };
    return http.json({ ...request, path: `${path}${at}`, headers, ...callOf(options) });
  };
  return {
    /** Rejects with `user_config_not_found`. */
    get(options: CallOptions = {}): Promise<UserConfig> {
      return http.json({ method: "GET", path, ...callOf(options) });
    },
    /** Makes it with the defaults when there is none. */
    ensure(options: CallOptions = {}): Promise<UserConfig> {
      return http.json({ method: "GET", path: `${path}/ensure`, ...callOf(options) });
    },
    /** Rejects with `user_config_exists`. */
    create: (config: UserConfigInput = {}, options?: ChangeOptions) =>
      change({ method: "POST", at: "", body: config }, options),
    /** What is not named stays as it is; a list replaces the whole list. */
    put: (config: UserConfigInput, options?: VersionedOptions) =>
      change({ method: "PUT", at: "", body: config }, options),
    async delete(options: CallOptions = {}): Promise<void> {
      await http.json({ method: "DELETE", path, ...callOf(options) });
    },
    addSharedLink: (link: SharedLinkInput, options?: ChangeOptions) =>
      change({ method: "POST", at: "/shared-links", body: link }, options),
    removeSharedLink: (id: string, options?: ChangeOptions) =>
      change({ method: "DELETE", at: "/shared-links", query: { id } }, options),
    addSpFragment: (fragment: SpFragmentInput, options?: ChangeOptions) =>
      change({ method: "POST", at: "/sp-fragments", body: fragment }, options),
    removeSpFragment: (id: string, options?: ChangeOptions) =>
      change({ method: "DELETE", at: "/sp-fragments", query: { id } }, options),
    /** Replaces all of them. A key that is left out stays. */
    putModelProviders: (
      modelProviders: UserModelProvidersInput["modelProviders"],
      options?: VersionedOptions,
    ) => change({ method: "PUT", at: "/model-providers", body: { modelProviders } }, options),
  };
}
