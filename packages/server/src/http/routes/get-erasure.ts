import { erasure } from "@berth/contract";
import { getErasure } from "../../operations/erasures.ts";
import { endpoint } from "../endpoint.ts";
import { erasurePath } from "../path-params.ts";

export const getErasureRoute = endpoint({
  id: "getErasure",
  method: "get",
  path: "/api/v1/erasures/{erasureId}",
  tag: "data",
  summary: "How far an erasure is, and in the end its receipt",
  params: erasurePath,
  replies: { 200: { description: "The erasure.", schema: erasure } },
  problems: ["erasure_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getErasure(operations, principal, params) };
  },
});
