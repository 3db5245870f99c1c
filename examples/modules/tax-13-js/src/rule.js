// 13 % on everything, from the first day of its law on.

import { config } from "niyam:rules/context@0.1.0";
import { add, dayNumber, decimal, error, multiply, percent, read, roundHalfUp, subtract, write } from "../.niyam/js/niyam.js";

const LAW = { source: "The example's tax act", article: "s.13", effectiveFrom: { year: 2026, month: 7, day: 1 } };

export const module = {
  describe: () => ({
    id: "tax-13-js",
    version: "1.0.0",
    title: "13 percent on everything",
    jurisdictions: [],
    configSchema: JSON.stringify({
      type: "object",
      additionalProperties: false,
      properties: { rate: { type: "string", pattern: "^[0-9]{1,2}(\\.[0-9]{1,2})?$" } },
    }),
    configDefault: '{"rate":"13"}',
  }),
};

export const tax = {
  determine(document) {
    if (dayNumber(document.taxDate) < dayNumber(LAW.effectiveFrom)) {
      throw [error("not-in-force", "the tax begins on 2026-07-01", "/tax_date", LAW)];
    }
    if (document.priceMode === "inclusive") {
      throw [error("price-mode-not-offered", "prices must be without the tax", "/price_mode")];
    }
    const rate = decimal(JSON.parse(config()).rate ?? "13");
    const rounded = (amount) => roundHalfUp(amount, document.minorUnits);
    const zero = rounded(decimal("0"));
    let [net, taxAdded] = [zero, zero];
    const lines = document.lines.map((line) => {
      const base = rounded(subtract(multiply(read(line.quantity), read(line.unitPrice)), read(line.discount)));
      const amount = rounded(percent(base, rate));
      [net, taxAdded] = [add(net, base), add(taxAdded, amount)];
      return {
        lineId: line.id,
        net: write(base),
        taxes: [{
          code: "tax",
          rate: write(rate),
          base: write(base),
          amount: write(amount),
          effect: "added",
          recoverable: true,
          citation: 0,
        }],
        gross: write(add(base, amount)),
      };
    });
    const gross = write(add(net, taxAdded));
    return {
      lines,
      net: write(net),
      taxAdded: write(taxAdded),
      taxWithheld: write(zero),
      gross,
      payable: gross,
      citations: [LAW],
      findings: [],
    };
  },
};
