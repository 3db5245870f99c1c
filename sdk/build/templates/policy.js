// A policy: an invoice is cancelled only by an approver, and issued by one who is none only after approval.

import { error } from "../.niyam/js/niyam.js";

export const module = {
  describe: () => ({
    id: "NAME",
    version: "1.0.0",
    title: "Only approvers cancel",
    jurisdictions: [],
    configSchema: '{"type":"object","additionalProperties":false}',
    configDefault: "{}",
  }),
};

export const policy = {
  evaluate({ command, user, roles }) {
    if (roles.includes("approver")) return { tag: "allow", val: [] };
    switch (command) {
      case "cancel-invoice":
        return { tag: "deny", val: [error("approver-only", "an invoice is cancelled by an approver")] };
      case "issue-invoice":
        return { tag: "needs-approval", val: `${user} is no approver` };
      default:
        return { tag: "allow", val: [] };
    }
  },
};
