import type { FollowScene } from "./scene.ts";

/** Calls the first time only. */
export function once(call: () => void): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    call();
  };
}

/** What the bus is told meanwhile does not arrive. */
export function lose(scene: FollowScene, call: () => void): void {
  const { carry } = scene.wire;
  scene.wire.carry = () => {};
  call();
  scene.wire.carry = carry;
}
