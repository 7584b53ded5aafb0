import { BerthError } from "../lib/errors.ts";

/** Of a repeated request whose first reply had a secret, which is not kept: `what` names the thing with its article. */
export function alreadyCreated(what: string, id: string): BerthError {
  return new BerthError(
    "already_created",
    `This request made ${what} ${id} already; its secret is not shown again. Take it back and make another.`,
    { details: { id } },
  );
}
