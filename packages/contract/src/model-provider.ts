import { z } from "zod";
import { timestamp } from "./id.ts";

export const providerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be lower-case letters, digits and dashes, at most 40 characters");

export const providerKind = z.enum(["openai-compatible", "anthropic"]);

const dollars = z.number().min(0).max(1_000_000);

/** What is said of one model of a provider. */
export const providerModel = z.strictObject({
  name: z.string().min(1).max(150).regex(/^\S+$/, "must have no spaces"),
  contextWindow: z.int().min(1_000).max(100_000_000).optional().describe("tokens"),
  maxOutputTokens: z.int().min(1).max(100_000_000).optional(),
  price: z
    .strictObject({
      input: dollars,
      output: dollars,
      cacheRead: dollars.optional().describe("default: as input"),
      cacheWrite: dollars.optional().describe("default: as input"),
    })
    .optional()
    .describe("US dollars for a million tokens"),
});
export type ProviderModelInfo = z.infer<typeof providerModel>;

const visible = /^[\u0021-\u007e]+$/;

/** Set by the connection itself, and not to be set by anybody else. */
const reservedHeaders =
  /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|cookie)$/i;

const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9-]+$/, "must be a header's name")
  .refine((name) => !reservedHeaders.test(name), "must not be a header of the connection itself");

/** What is written of a provider. Keys and headers are only ever written: replies name them and nothing more. */
export const modelProviderBody = z.strictObject({
  kind: providerKind.optional().describe("default: that of a well-known name, else openai-compatible"),
  baseURL: z
    .url({ protocol: /^https?$/, message: "must be an http(s) address" })
    .max(2_000)
    .refine((address) => {
      const url = URL.parse(address);
      return (
        url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === ""
      );
    }, "must hold no user name, password, query or fragment")
    .optional()
    .describe("may be left out for a well-known name, as openai or anthropic"),
  apiKey: z
    .string()
    .min(8)
    .max(4_096)
    .regex(visible, "must be visible ASCII characters")
    .nullable()
    .optional()
    .describe("only written; left out: the one that there is stays; null: none"),
  headers: z
    .record(
      headerName,
      z
        .string()
        .min(1)
        .max(4_096)
        .regex(/^[\u0020-\u007e]+$/, "must be ASCII text"),
    )
    .refine((headers) => Object.keys(headers).length <= 20, "must be at most 20")
    .optional()
    .describe("sent with each request; only written; left out: those that there are stay"),
  models: z
    .array(z.union([providerModel.shape.name, providerModel]))
    .max(200)
    .default([])
    .describe("names, or what is known of them; empty: those that are well known or that the provider lists"),
});
export type ModelProviderBody = z.infer<typeof modelProviderBody>;
export type ModelProviderInput = z.input<typeof modelProviderBody>;

/** A provider of the organization. */
export const modelProvider = z.strictObject({
  name: providerName,
  kind: providerKind,
  baseURL: z.string(),
  hasKey: z.boolean(),
  headers: z.array(z.string()).describe("names of the headers that are sent"),
  models: z.array(providerModel),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type ModelProviderInfo = z.infer<typeof modelProvider>;
