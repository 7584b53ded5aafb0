import { me } from "@berth/contract";
import { describeMe } from "../../operations/describe-system.ts";
import { endpoint } from "../endpoint.ts";

export const getMe = endpoint({
  id: "getMe",
  method: "get",
  path: "/api/v1/me",
  tag: "server",
  summary: "Who is calling and what they may do",
  replies: { 200: { description: "The caller.", schema: me } },
  handle: async ({ operations, principal }) => ({
    status: 200,
    body: await describeMe(operations, principal),
  }),
});
