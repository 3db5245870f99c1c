// A workflow: one approver decides, two when the amount is above 100,000; after two days without a decision the
// administrators are told.

import { decimal, error, read, subtract } from "../.niyam/js/niyam.js";

const TASK = "approval";
const OVER = "over";

export const module = {
  describe: () => ({
    id: "NAME",
    version: "1.0.0",
    title: "Two approvals above 100,000",
    jurisdictions: [],
    configSchema: '{"type":"object","additionalProperties":false}',
    configDefault: "{}",
  }),
};

// The state: how many must approve, and who did, a line each.
const readState = (state) => {
  const [quorum, ...approved] = state.split("\n");
  return /^\d+$/.test(quorum) ? { quorum: Number(quorum), approved: approved.filter((user) => user !== "") } : null;
};
const writeState = ({ quorum, approved }) => `${quorum}\n${approved.join("\n")}`;

const over = (verdict) => [OVER, [{ tag: "withdraw", val: TASK }, { tag: "complete", val: verdict }]];

function start(subject) {
  const isLarge = subject.amount !== undefined && subtract(read(subject.amount), decimal("100000")).units > 0n;
  const quorum = isLarge ? 2 : 1;
  const task = {
    id: TASK,
    title: `Approve ${subject.kind} ${subject.id}`,
    assigneeRoles: ["approver"],
    quorum,
    dueInHours: 48,
  };
  return [writeState({ quorum, approved: [] }), [{ tag: "assign", val: task }, { tag: "start-timer", val: ["reminder", 48] }]];
}

function decided(waiting, { verdict, by }) {
  if (verdict !== "approved") return over(verdict);
  if (waiting.approved.includes(by.user)) throw [error("approved-already", "two approvals are of two people")];
  waiting.approved.push(by.user);
  return waiting.approved.length < waiting.quorum ? [writeState(waiting), []] : over("approved");
}

export const workflow = {
  advance(subject, state, input) {
    const waiting = readState(state);
    if (input.tag === "started" && state === "") return start(subject);
    if (input.tag === "decided" && waiting !== null && input.val.task === TASK) return decided(waiting, input.val);
    if (input.tag === "cancelled" && waiting !== null) return over("rejected");
    if (input.tag === "timer-fired") {
      if (waiting === null) return [OVER, []]; // It was decided in time.
      return [state, [{ tag: "notify", val: ["tenant-admin", `${subject.kind} ${subject.id} waits for approval`] }]];
    }
    throw [error("out-of-turn", "the workflow does not wait for this")];
  },
};
