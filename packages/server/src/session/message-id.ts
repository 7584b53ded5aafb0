/** A step has one message, whatever its attempts. */
export function messageIdOf(stepId: string): string {
  return stepId.replace(/^stp_/, "msg_");
}
