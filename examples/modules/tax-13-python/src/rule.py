"""13 % on everything, from the first day of its law on."""

import json
from decimal import Decimal

from componentize_py_types import Err
from niyam import error, read, round_half_up, write
from wit_world import exports
from wit_world.exports import module, tax
from wit_world.imports import context, types

LAW = types.Citation("The example's tax act", "s.13", types.Date(2026, 7, 1))


class Module(exports.Module):
    def describe(self) -> module.Manifest:
        return module.Manifest(
            id="tax-13-python",
            version="1.0.0",
            title="13 percent on everything",
            jurisdictions=[],
            config_schema=json.dumps({
                "type": "object",
                "additionalProperties": False,
                "properties": {"rate": {"type": "string", "pattern": r"^[0-9]{1,2}(\.[0-9]{1,2})?$"}},
            }),
            config_default='{"rate":"13"}',
        )


class Tax(exports.Tax):
    def determine(self, document: tax.Document) -> tax.Determination:
        day = document.tax_date
        if (day.year, day.month, day.day) < (2026, 7, 1):
            raise Err([error("not-in-force", "the tax begins on 2026-07-01", "/tax_date", LAW)])
        if document.price_mode is tax.PriceMode.INCLUSIVE:
            raise Err([error("price-mode-not-offered", "prices must be without the tax", "/price_mode")])
        rate = Decimal(json.loads(context.config()).get("rate", "13"))
        places = document.minor_units
        net = added = round_half_up(Decimal(0), places)
        lines = []
        for line in document.lines:
            base = round_half_up(read(line.quantity) * read(line.unit_price) - read(line.discount), places)
            amount = round_half_up(base * rate / 100, places)
            net, added = net + base, added + amount
            item = tax.TaxItem(
                "tax", write(rate), write(base), write(amount), tax.Effect.ADDED, recoverable=True, citation=0
            )
            lines.append(tax.LineTaxes(line.id, write(base), [item], write(base + amount)))
        return tax.Determination(
            lines=lines,
            net=write(net),
            tax_added=write(added),
            tax_withheld=write(round_half_up(Decimal(0), places)),
            gross=write(net + added),
            payable=write(net + added),
            citations=[LAW],
            findings=[],
        )
