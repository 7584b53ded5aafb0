import { z } from "zod";

/** A file's bytes live in the blob store of the organization; events carry its SHA-256. */
export const blobRef = z.strictObject({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
  mediaType: z.string().max(200).optional(),
});
export type BlobRef = z.infer<typeof blobRef>;

export const textPart = z.strictObject({ type: z.literal("text"), text: z.string() });

const sourceRule = "give exactly one of data, url and blob";
const oneSource = (part: { data?: unknown; url?: unknown; blob?: unknown }) =>
  [part.data, part.url, part.blob].filter((source) => source !== undefined).length === 1;

export const imagePart = z
  .strictObject({
    type: z.literal("image"),
    mediaType: z.string().regex(/^image\/[a-z0-9.+-]+$/),
    data: z.base64().optional().describe("the image's bytes, base64"),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("passed to the model provider, never fetched by the server"),
    blob: blobRef.optional(),
  })
  .refine(oneSource, sourceRule);

export const filePart = z
  .strictObject({
    type: z.literal("file"),
    mediaType: z.string().max(200),
    name: z.string().max(255).optional(),
    data: z.base64().optional(),
    url: z.url({ protocol: /^https?$/ }).optional(),
    blob: blobRef.optional(),
  })
  .refine(oneSource, sourceRule);

export const contentPart = z.discriminatedUnion("type", [textPart, imagePart, filePart]);
export type ContentPart = z.infer<typeof contentPart>;

/** What a person or a program says: plain text, or parts. */
export const content = z.union([z.string().min(1), z.array(contentPart).min(1).max(100)]);
export type Content = z.infer<typeof content>;

/** What a tool gives back to the model. */
export const toolContent = z.union([z.string(), z.array(contentPart).max(100)]);
export type ToolContent = z.infer<typeof toolContent>;
