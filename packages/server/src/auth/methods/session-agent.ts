import type { Store } from "../../store/store.ts";
import type { RequestMethod } from "../method.ts";
import { sessionAgent } from "../session-agent.ts";

/** No request proves itself so: it only says who the owner of what an agent opened is now. */
export function sessionAgentMethod({ store }: { readonly store: Pick<Store, "system"> }): RequestMethod {
  return {
    kind: "agent",
    isOffered: () => false,
    authenticate: () => Promise.resolve(null),
    recheck: ({ orgId, id, credential }) =>
      sessionAgent(store, { orgId, sessionId: credential.id, owner: id }),
  };
}
