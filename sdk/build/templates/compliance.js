// The smallest compliance pack: a country that taxes nothing, numbers by year and prints a plain invoice.

import { add, decimal, error, multiply, read, subtract, write } from "../.niyam/js/niyam.js";

const PAPER = "plain-invoice";
const label = (text) => [{ lang: "en", text }];

export const module = {
  describe: () => ({
    id: "NAME",
    version: "1.0.0",
    title: "No tax, plain papers",
    jurisdictions: [],
    configSchema: '{"type":"object","additionalProperties":false}',
    configDefault: "{}",
  }),
};

export const tax = {
  determine({ lines }) {
    const nets = lines.map((line) => subtract(multiply(read(line.quantity), read(line.unitPrice)), read(line.discount)));
    const net = write(nets.reduce(add, decimal("0")));
    const zero = write(decimal("0"));
    return {
      lines: lines.map(({ id }, index) => ({ lineId: id, net: write(nets[index]), taxes: [], gross: write(nets[index]) })),
      net,
      taxAdded: zero,
      taxWithheld: zero,
      gross: net,
      payable: net,
      citations: [],
      findings: [],
    };
  },
};

export const compliance = {
  checkIdentifier(kind, _value) {
    throw [error("identifier-kind-unknown", `no kind of identifier is called ${kind}`, "/kind")];
  },
  fiscalPeriodOf({ year }) {
    return {
      code: `${year}`,
      fiscalYear: `${year}`,
      starts: { year, month: 1, day: 1 },
      ends: { year, month: 12, day: 31 },
    };
  },
  obligations: () => [],
  prepareIssue: (_document, _taxes, { year }) => ({
    form: PAPER,
    series: `${PAPER}/${year}`,
    numberPattern: `{serial}/${year}`,
    findings: [],
  }),
  formCodes: () => [PAPER],
  drawForm(code, _document, taxes, facts) {
    if (code !== PAPER) throw [error("form-not-offered", `the pack draws ${PAPER} alone`)];
    const field = (key, text, value) => ({ key, labels: label(text), value });
    const fields = [
      field("number", "Number", { tag: "text", val: facts.number }),
      field("issued_on", "Date", { tag: "day", val: facts.issuedOn }),
      field("payable", "To pay", { tag: "amount", val: taxes.payable }),
    ];
    return { code: PAPER, titles: label("Invoice"), blocks: [{ tag: "fields", val: fields }] };
  },
  drawReturn(code) {
    throw [error("return-not-offered", `this pack draws no return ${code}`)];
  },
  chartOfAccounts: () => [],
  checkAccountCode() {},
};
