/** Topic of the hint that an organization's model providers, or those of its users, may have changed. */
export const providersTopic = "providers";

export interface ProvidersHint {
  readonly orgId: string;
}
