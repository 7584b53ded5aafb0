/** A bug that is planted on purpose: the simulation has to find it. */
export interface Mutant {
  /** `mutants/<name>.patch` plants it. */
  readonly name: string;
  /** What it makes go wrong. */
  readonly bug: string;
  /** Invariants of which one must be broken (numbers of ARCHITECTURE.md, or a word of `checks/`). */
  readonly breaks: readonly string[];
  /** Seeds within which it is found, from the first on: at least three times what it took. */
  readonly seeds: number;
}

const mutant = (name: string, breaks: string, seeds: number, bug: string): Mutant => ({
  name,
  bug,
  breaks: breaks.split(" "),
  seeds,
});

export const mutants: readonly Mutant[] = [
  mutant(
    "append-without-epoch",
    "I2",
    30,
    "An append does not ask whose epoch it is: a holder that was replaced goes on writing.",
  ),
  mutant(
    "append-without-seq",
    "I1 fault",
    600,
    "An append does not ask where the log ends, and writes over what is there: one that is tried again counts twice.",
  ),
  mutant("release-with-inputs", "I13", 90, "A session is given back although inputs wait in its mailbox."),
  mutant(
    "release-of-any-epoch",
    "I2",
    600,
    "A worker that lost a session takes it from the new holder by giving it back.",
  ),
  mutant("claim-from-the-living", "I2", 30, "A claim does not ask whether the holder is alive."),
  mutant("claim-keeps-epoch", "I2", 30, "A claim does not raise the epoch."),
  mutant(
    "taken-twice",
    "I3",
    30,
    "Inputs stay in the mailbox that a worker keeps, and the store does not ask whether one was taken before.",
  ),
  mutant(
    "announced-out-of-turn",
    "I3",
    200,
    "A message that was announced is taken although others wait that were accepted before it.",
  ),
  mutant(
    "announced-not-accepted",
    "I3",
    40,
    "A message that was announced is taken although it was not accepted, or was taken before.",
  ),
  mutant("mailbox-emptied", "I3 I13 rest I12", 30, "A commit removes inputs that it did not take."),
  mutant(
    "mailbox-by-id",
    "I3",
    60,
    "A mailbox is read in the order of ids, which clocks of several servers make, and not as accepted.",
  ),
  mutant(
    "client-id-forgotten",
    "I3",
    30,
    "The id that a client gave its message is not kept: the message is accepted again when it is repeated.",
  ),
  mutant("key-answered-anew", "I3", 30, "A request that is repeated with its Idempotency-Key is done again."),
  mutant(
    "attempts-merged",
    "I9 text",
    60,
    "The text of a model's second attempt is appended to the first one's.",
  ),
  mutant("load-with-undone", "I8 fold", 60, "A load folds events that a rewind undid."),
  mutant("rewind-goes-on-from-now", "I8", 30, "After a rewind the worker goes on from the state before it."),
  mutant("rewind-into-undone", "I8", 200, "A rewind may go to a place that another one undid."),
  mutant("undone-snapshot", "I8 fold", 60, "A load begins with a snapshot that a rewind undid."),
  mutant(
    "snapshot-one-too-new",
    "I8 fold rest I12",
    30,
    "A load leaves out the first event after the snapshot.",
  ),
  mutant("snapshot-one-too-old", "I8 fold", 30, "A load folds the snapshot's last event again."),
  mutant("timer-not-deleted", "timer", 30, "A timer that fired is not deleted and fires again."),
  mutant("timer-not-cleared", "rows timer", 30, "The timer of an approval that was decided stays."),
  mutant("timers-never-fire", "timer", 30, "No timer fires."),
  mutant("cursor-one-late", "I9", 60, "A follower that connects again misses one event."),
  mutant("cursor-one-early", "I9", 30, "A follower that connects again is sent one event twice."),
  mutant("follower-jumps-gaps", "I9", 40, "A follower goes on over a gap instead of reading the store."),
  mutant(
    "follower-repeats",
    "I9",
    30,
    "A follower is sent again what the bus brings twice, or what a page had already.",
  ),
  mutant(
    "follower-trusts-the-bus",
    "rest I12",
    30,
    "A follower does not look into the store when the bus is silent.",
  ),
  mutant("slots-leaked", "rest I12", 60, "A session that leaves its worker keeps its run slot."),
  mutant("slot-freed-too-early", "slots", 30, "A run gives its slot back while its effects go on."),
  mutant("one-slot-too-many", "slots", 30, "One run more than allowed goes on at once."),
  mutant(
    "once-started-again",
    "I6",
    30,
    "A new holder does not seal a call of effect once that had started, and starts it again.",
  ),
  mutant("once-without-start", "I6", 30, "A call of effect once runs without a committed start."),
  mutant(
    "edit-not-applied",
    "I7",
    30,
    "A call that was approved with other arguments runs with the model's.",
  ),
  mutant(
    "approval-for-its-neighbours",
    "I7",
    30,
    "An approval allows the other calls of its step that wait for one.",
  ),
  mutant("approval-outlives-its-time", "I7", 190, "An approval that expired can still be given."),
  mutant("run-ends-twice", "I4", 40, "A run that was interrupted goes on in the state."),
  mutant("run-forgotten-after-crash", "rest I12", 60, "The sweep does not look for runs whose worker died."),
  mutant("eviction-of-the-running", "I13", 30, "A session counts as quiet while its effects go on."),
  mutant("drain-drops-runs", "rest rows I12", 120, "A worker that stops marks its sessions as idle."),
  mutant("agent-read-anew", "I14", 30, "A run reads its agent's newest version at each step."),
  mutant("agent-kept-by-name", "I14", 40, "Definitions are kept by agent and not by version."),
  mutant(
    "fork-shares-one-more",
    "I1 I8 fold fault rest I12",
    30,
    "A fork shares one event more than it says.",
  ),
  mutant("archive-takes-messages", "archive", 30, "An archived session takes messages."),
  mutant("interrupt-leaves-calls", "I5", 30, "The end of a run leaves calls open that nobody had decided."),
  mutant(
    "joined-run-left-queued",
    "I4",
    30,
    "The run of a message that joined another one stays queued for ever.",
  ),
  mutant(
    "no-orphans-swept",
    "rest I12",
    30,
    "The sweep does not wake what was left behind: a lost wake-up is lost for good.",
  ),
  mutant(
    "mailboxes-not-polled",
    "I12 rest",
    400,
    "A worker does not look into the mailboxes of what it holds.",
  ),
  mutant(
    "lease-never-lost",
    "I6 lease",
    280,
    "A worker that stood still longer than its lease goes on and starts tools.",
  ),
  mutant("status-of-before", "rows", 30, "A session's row has the status of before its last commit."),
  mutant("approval-left-pending", "rows", 30, "The end of a run leaves an approval's row pending."),
  mutant(
    "claims-never-forgotten",
    "poison",
    30,
    "A run that gets on is counted as one that kills its workers.",
  ),
  mutant(
    "lease-by-the-wall-clock",
    "I2",
    60,
    "Leases follow the store's wall clock: when it jumps, the living look dead.",
  ),
  mutant(
    "drain-waits-for-nothing",
    "I13",
    300,
    "A worker that stops hands its runs over at once, whatever time they have.",
  ),
  mutant(
    "drain-forgets-the-first-turn",
    "I13",
    200,
    "A worker that stops takes a session for idle whose first commit is on its way.",
  ),
  mutant("tools-kept-by-name", "I14", 60, "What agents may call is kept by agent and not by version."),
  mutant("version-written-over", "I14", 30, "A new version of an agent is written over the last one."),
];
