"""The smallest compliance pack: a country that taxes nothing, numbers by year and prints a plain invoice."""

from decimal import Decimal
from typing import List

from componentize_py_types import Err
from niyam import error, read, write
from wit_world import exports
from wit_world.exports import compliance, module, tax
from wit_world.imports import types

PAPER = "plain-invoice"


def label(text: str) -> List[compliance.Label]:
    return [compliance.Label("en", text)]


class Module(exports.Module):
    def describe(self) -> module.Manifest:
        return module.Manifest(
            id="NAME",
            version="1.0.0",
            title="No tax, plain papers",
            jurisdictions=[],
            config_schema='{"type":"object","additionalProperties":false}',
            config_default="{}",
        )


class Tax(exports.Tax):
    def determine(self, document: tax.Document) -> tax.Determination:
        nets = [read(line.quantity) * read(line.unit_price) - read(line.discount) for line in document.lines]
        net, zero = write(sum(nets, Decimal(0))), write(Decimal(0))
        return tax.Determination(
            lines=[
                tax.LineTaxes(line.id, write(net), [], write(net)) for line, net in zip(document.lines, nets)
            ],
            net=net,
            tax_added=zero,
            tax_withheld=zero,
            gross=net,
            payable=net,
            citations=[],
            findings=[],
        )


class Compliance(exports.Compliance):
    def check_identifier(self, kind: str, value: str) -> str:
        raise Err([error("identifier-kind-unknown", f"no kind of identifier is called {kind}", "/kind")])

    def fiscal_period_of(self, day: types.Date) -> compliance.FiscalPeriod:
        year = day.year
        return compliance.FiscalPeriod(str(year), str(year), types.Date(year, 1, 1), types.Date(year, 12, 31))

    def obligations(self, period):
        return []

    def prepare_issue(self, document, taxes, issued_on: types.Date) -> compliance.IssuePlan:
        year = issued_on.year
        return compliance.IssuePlan(PAPER, f"{PAPER}/{year}", f"{{serial}}/{year}", [])

    def form_codes(self, document) -> List[str]:
        return [PAPER]

    def draw_form(self, code: str, document, taxes: tax.Determination, facts) -> compliance.Form:
        if code != PAPER:
            raise Err([error("form-not-offered", f"the pack draws {PAPER} alone")])
        fields = [
            compliance.Field("number", label("Number"), compliance.Cell_Text(facts.number)),
            compliance.Field("issued_on", label("Date"), compliance.Cell_Day(facts.issued_on)),
            compliance.Field("payable", label("To pay"), compliance.Cell_Amount(taxes.payable)),
        ]
        return compliance.Form(PAPER, label("Invoice"), [compliance.Block_Fields(fields)])

    def draw_return(self, code: str, period, entries, opening) -> compliance.Form:
        raise Err([error("return-not-offered", f"this pack draws no return {code}")])

    def chart_of_accounts(self):
        return []

    def check_account_code(self, code: str) -> None:
        return None
