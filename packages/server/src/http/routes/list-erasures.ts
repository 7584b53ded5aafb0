import { erasure, pageOf } from "@berth/contract";
import { z } from "zod";
import { listErasures } from "../../operations/erasures.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

export const listErasuresRoute = endpoint({
  id: "listErasures",
  method: "get",
  path: "/api/v1/erasures",
  tag: "data",
  summary: "Erasures and their receipts, newest first",
  description: "The operator sees those of every organization: one that is gone has nobody left to ask.",
  query: z.strictObject(pageQueryOf("receipt")),
  replies: { 200: { description: "One page.", schema: pageOf(erasure) } },
  async handle({ operations, principal, query }) {
    return { status: 200, body: await listErasures(operations, principal, defined(query)) };
  },
});
