//! A month of a trading company and one of a service company, from documents to the return. The figures of the returns
//! are written by hand, from the counts and prices below.

use niyam_sdk::{Date, Document, RegisterEntry};

use crate::build::{invoice, line, purchase, with, with_duty};
use crate::returns::{AUGUST, bought, cell, draw, entry, filing, grids, notes, sale, stating};

const TRADER: &str = r#"{"withholding":{"vat":true}}"#;

struct Month {
    config: &'static str,
    day: Date,
    entries: Vec<RegisterEntry>,
}

impl Month {
    fn sell(&mut self, count: usize, code: &str, price: &str, duty: &str) {
        for _ in 0..count {
            let plain = line(code, price);
            let lines = vec![if duty.is_empty() { plain } else { with_duty(plain, duty) }];
            self.push(sale(self.day, invoice(lines)));
        }
    }

    fn buy(&mut self, count: usize, code: &str, price: &str, facts: &[(&str, &str)]) {
        for _ in 0..count {
            let number = format!("S-{}", self.entries.len());
            let mut document = bought(self.day, &number, purchase(vec![line(code, price)]));
            for (name, value) in facts {
                match *name {
                    "registration" => document.supplier.attributes.set(*name, *value),
                    _ => document.attributes.set(*name, *value),
                }
            }
            self.push(document);
        }
    }

    fn push(&mut self, document: Document) {
        let number = (self.entries.len() + 1).to_string();
        self.entries.push(entry(self.config, &number, document));
    }

    fn state(&mut self, kind: &str, code: &str, amount: &str) {
        self.push(stating(self.day, kind, code, amount));
    }
}

#[test]
fn a_trading_companys_month_becomes_its_return() {
    let mut month = Month { config: TRADER, day: AUGUST, entries: vec![filing(Date::constant(2026, 9, 15))] };
    month.buy(20, "standard", "10000", &[]);
    month.buy(5, "standard", "120000", &[("payment_channel", "cash")]);
    month.buy(3, "exempt", "5000", &[("registration", "unregistered")]);
    month.buy(2, "exempt", "1000", &[]);
    month.buy(2, "S032.00", "10000", &[]);
    let goods = with(line("standard", "100000"), "cd_rate", "25");
    let mut import = bought(AUGUST, "", purchase(vec![goods]));
    import.attributes.set("bill_of_entry", "C-1001");
    month.push(Document { kind: "import-entry".into(), ..import });
    month.sell(20, "standard", "30000", "");
    month.sell(3, "export", "50000", "");
    month.sell(2, "standard", "10000", "20");
    for (kind, price) in [("credit-note", "1000"), ("credit-note", "1000"), ("debit-note", "2000")] {
        month.push(Document { kind: kind.into(), ..sale(AUGUST, invoice(vec![line("standard", price)])) });
    }
    month.state("withholding-certificate", "vds-certificate", "4500");
    month.state("adjustment", "other-increase", "100");
    month.state("treasury-deposit", "deposit-vat", "25075");
    month.state("treasury-deposit", "deposit-sd", "4000");
    assert_eq!(month.entries.len(), 66);

    let form =
        draw(TRADER, "mushak-9.1", AUGUST, &month.entries, &[("vat-balance", "6000")]).expect("it is drawn");
    let expected = [
        // 3 exports of 50000; 20 sales of 30000 and 2 of 10000 with 2000 of duty.
        "1 150000.00 0.00 0.00",
        "4 620000.00 4000.00 93600.00",
        "9 770000.00 4000.00 93600.00",
        "12 2000.00 0.00",
        // 20 purchases of 10000 and 2 services of 10000; an import of 100000 with 25000 of customs duty.
        "14 220000.00 33000.00",
        "15 125000.00 18750.00",
        "20 15000.00 0.00",
        // Five times 120000 in cash.
        "21 600000.00 90000.00",
        "23 962000.00 51750.00",
        "24 3000.00",
        "26 300.00",
        "27 100.00",
        "28 3400.00",
        "29 4500.00",
        "30 9375.00",
        "31 300.00",
        "33 14175.00",
        // 93600 - 51750 + 3400 - 14175, less 6000 carried in.
        "34 31075.00",
        "35 25075.00",
        "36 4000.00",
        "37 4000.00",
        "50 25075.00",
        "51 4000.00",
        "52 6000.00",
        "58 25075.00",
        "59 4000.00",
    ];
    assert_eq!(notes(&form), expected);
    assert_eq!(grids(&form).iter().map(|grid| grid.rows.len()).sum::<usize>(), 68);

    let purchases = draw(TRADER, "mushak-6.1", AUGUST, &month.entries, &[]).expect("it is drawn");
    assert_eq!(grids(&purchases)[0].rows.len(), 33);
    let sales = draw(TRADER, "mushak-6.2", AUGUST, &month.entries, &[]).expect("it is drawn");
    assert_eq!(grids(&sales)[0].rows.len(), 25);
    let details = draw(TRADER, "mushak-9.1-details", AUGUST, &month.entries, &[]).expect("it is drawn");
    let of_note = |note: &str| grids(&details)[0].rows.iter().filter(|row| cell(&row[0]) == note).count();
    assert_eq!([of_note("4"), of_note("14"), of_note("21"), of_note("31")], [22, 22, 5, 2]);
}

#[test]
fn a_service_companys_month_becomes_its_return() {
    let day = Date::constant(2026, 9, 20);
    // Three working days after Thursday the 15th of October.
    let mut month = Month { config: TRADER, day, entries: vec![filing(Date::constant(2026, 10, 20))] };
    month.sell(25, "S032.00", "10000", "");
    month.sell(10, "S099.10", "10000", "");
    month.sell(5, "exempt", "10000", "");
    month.buy(12, "standard", "8000", &[]);
    month.buy(4, "standard", "1000", &[("used_for", "creditable")]);
    month.buy(1, "standard", "2000", &[("used_for", "other")]);
    month.buy(3, "reduced-10", "1000", &[]);
    month.buy(1, "imported-services", "20000", &[]);
    month.buy(2, "premises-rent", "40000", &[]);
    for amount in ["1500", "1500", "1500"] {
        month.state("withholding-certificate", "vds-certificate", amount);
    }
    let mut late = stating(day, "late-payment", "overdue-vat", "41600");
    late.lines[0] = with(with(late.lines[0].clone(), "due", "2026-06-15"), "paid", "2026-09-15");
    month.push(late);
    assert_eq!(month.entries.len(), 68);

    let form = draw(TRADER, "mushak-9.1", day, &month.entries, &[]).expect("it is drawn");
    let expected = [
        "3 50000.00 0.00 0.00",
        "4 250000.00 0.00 37500.00",
        "7 100000.00 0.00 5000.00",
        "9 400000.00 0.00 42500.00",
        // 250000 of 400000 allow the credit: 62.5 percent of twelve times 8000 and twice 40000; four times 1000 whole.
        "14 114000.00 17100.00",
        // 62.5 percent of the service from abroad.
        "15 12500.00 1875.00",
        // The rest, 2000 for other supplies, and three times 1000 at 10 percent.
        "21 71000.00 10500.00",
        "22 7500.00 1125.00",
        "23 205000.00 18975.00",
        // Twice 6000 of the rent, and 3000 of the service from abroad.
        "24 15000.00",
        "28 15000.00",
        "29 4500.00",
        "33 4500.00",
        "34 34025.00",
        "35 34025.00",
        "41 1248.00",
        "43 10000.00",
        "50 45273.00",
        "65 -45273.00",
    ];
    assert_eq!(notes(&form), expected);
}
