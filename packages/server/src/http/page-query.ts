import { type IdKind, idSchema, pageQuery } from "@berth/contract";
import { z } from "zod";

/** The query of a list whose cursors are ids of one kind. A cursor may name what is gone: ids have an order of their own. */
export function pageQueryOf(kind: IdKind) {
  return { ...pageQuery, after: idSchema(kind).optional() };
}

/** The query of a list whose cursors are version numbers. */
export const versionPageQuery = {
  ...pageQuery,
  after: z
    .string()
    .regex(/^\d{1,15}$/, "must be a version")
    .optional(),
};
