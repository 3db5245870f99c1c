"""A policy: an invoice is cancelled only by an approver, and issued by one who is none only after approval."""

from niyam import error
from wit_world import exports
from wit_world.exports import module, policy


class Module(exports.Module):
    def describe(self) -> module.Manifest:
        return module.Manifest(
            id="NAME",
            version="1.0.0",
            title="Only approvers cancel",
            jurisdictions=[],
            config_schema='{"type":"object","additionalProperties":false}',
            config_default="{}",
        )


class Policy(exports.Policy):
    def evaluate(self, request: policy.Request) -> policy.Ruling:
        if "approver" in request.roles:
            return policy.Ruling_Allow([])
        if request.command == "cancel-invoice":
            return policy.Ruling_Deny([error("approver-only", "an invoice is cancelled by an approver")])
        if request.command == "issue-invoice":
            return policy.Ruling_NeedsApproval(f"{request.user} is no approver")
        return policy.Ruling_Allow([])
