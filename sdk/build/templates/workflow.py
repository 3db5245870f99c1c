"""A workflow: one approver decides, two when the amount is above 100,000; after two days without a decision the
administrators are told."""

from typing import List, Optional, Tuple

from componentize_py_types import Err
from niyam import error, read
from wit_world import exports
from wit_world.exports import module, workflow

TASK = "approval"
OVER = "over"

Step = Tuple[str, List[workflow.Effect]]


class Module(exports.Module):
    def describe(self) -> module.Manifest:
        return module.Manifest(
            id="NAME",
            version="1.0.0",
            title="Two approvals above 100,000",
            jurisdictions=[],
            config_schema='{"type":"object","additionalProperties":false}',
            config_default="{}",
        )


def write_state(quorum: int, approved: List[str]) -> str:
    """How many must approve, and who did, a line each."""
    return f"{quorum}\n" + "\n".join(approved)


def read_state(state: str) -> Optional[Tuple[int, List[str]]]:
    quorum, _, approved = state.partition("\n")
    return (int(quorum), approved.split("\n") if approved else []) if quorum.isdigit() else None


def over(verdict: workflow.Verdict) -> Step:
    return OVER, [workflow.Effect_Withdraw(TASK), workflow.Effect_Complete(verdict)]


def start(subject: workflow.Subject) -> Step:
    quorum = 2 if subject.amount is not None and read(subject.amount) > 100_000 else 1
    task = workflow.Task(TASK, f"Approve {subject.kind} {subject.id}", ["approver"], quorum, 48)
    return write_state(quorum, []), [workflow.Effect_Assign(task), workflow.Effect_StartTimer(("reminder", 48))]


def decided(waiting: Tuple[int, List[str]], decision: workflow.Decision) -> Step:
    quorum, approved = waiting
    if decision.verdict is not workflow.Verdict.APPROVED:
        return over(decision.verdict)
    if decision.by.user in approved:
        raise Err([error("approved-already", "two approvals are of two people")])
    approved = [*approved, decision.by.user]
    if len(approved) < quorum:
        return write_state(quorum, approved), []
    return over(workflow.Verdict.APPROVED)


class Workflow(exports.Workflow):
    def advance(self, subject: workflow.Subject, state: str, input: workflow.Input) -> Step:
        waiting = read_state(state)
        if isinstance(input, workflow.Input_Started) and state == "":
            return start(subject)
        if isinstance(input, workflow.Input_Decided) and waiting and input.value.task == TASK:
            return decided(waiting, input.value)
        if isinstance(input, workflow.Input_Cancelled) and waiting:
            return over(workflow.Verdict.REJECTED)
        if isinstance(input, workflow.Input_TimerFired):
            if not waiting:
                return OVER, []  # It was decided in time.
            told = f"{subject.kind} {subject.id} waits for approval"
            return state, [workflow.Effect_Notify(("tenant-admin", told))]
        raise Err([error("out-of-turn", "the workflow does not wait for this")])
