import { expect, it } from "vitest";
import { call, client, delegation, story } from "../../test/support/session/story.ts";
import { breakpointOf } from "./breakpoint.ts";

const asked = (...calls: readonly ReturnType<typeof call>[]) =>
  story()
    .message("hi")
    .think()
    .answer(...calls);
const once = { effect: "once" } as const;

it.each([
  ["ready", story().turn("hi")],
  ["post_tool", story().message("hi")],
  ["pre_model", story().message("hi").think()],
  ["tool_pending", asked(call(1))],
  ["awaiting_approval", asked(call(1, { permission: "ask" })).asks(1)],
  ["awaiting_approval", asked(call(1, client)).requests(1)],
  [
    "pre_tool",
    asked(call(1, { permission: "ask" }))
      .asks(1)
      .decided(1),
  ],
  ["tool_executing", asked(call(1, once), call(2)).starts(1)],
  ["post_tool", asked(call(1)).returns(1)],
  ["pre_model", asked(call(1, delegation)).delegates(1).think("helper-1")],
] as const)("a session stands at %s", (breakpoint, told) => {
  expect(breakpointOf(told.state)).toBe(breakpoint);
});
