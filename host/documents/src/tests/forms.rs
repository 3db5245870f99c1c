//! Forms like those that packs draw.

use niyam_values::{Block, Cell, Column, Date, Decimal, Field, Form, Grid, Label};

pub(super) fn label(lang: &str, text: &str) -> Label {
    Label { lang: lang.to_owned(), text: text.to_owned() }
}

pub(super) fn both(bn: &str, en: &str) -> Vec<Label> {
    vec![label("bn", bn), label("en", en)]
}

pub(super) fn said(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

pub(super) fn amount(text: &str) -> Cell {
    Cell::Amount(text.parse().unwrap())
}

fn field(bn: &str, en: &str, value: Cell) -> Field {
    Field { key: en.to_lowercase().replace(' ', "_"), labels: both(bn, en), value }
}

fn column(bn: &str, en: &str, numeric: bool) -> Column {
    Column { key: en.to_lowercase().replace(' ', "_"), labels: both(bn, en), numeric }
}

/// A tax invoice of so many lines.
pub(super) fn invoice(lines: usize) -> Form {
    let columns = vec![
        column("ক্রমিক", "Serial", true),
        column("পণ্য বা সেবার বর্ণনা", "Description", false),
        column("সরবরাহের একক", "Unit", false),
        column("পরিমাণ", "Quantity", true),
        column("একক মূল্য (টাকায়)", "Unit price", true),
        column("মোট মূল্য (টাকায়)", "Total price", true),
        column("সম্পূরক শুল্কের হার", "SD rate", true),
        column("সম্পূরক শুল্কের পরিমাণ", "SD amount", true),
        column("মূল্য সংযোজন করের হার", "VAT rate", true),
        column("মূসকের পরিমাণ", "VAT amount", true),
        column("সকল প্রকার শুল্ক ও করসহ মূল্য", "Total with taxes", true),
    ];
    let mut sums = [Decimal::ZERO; 3];
    let mut rows = Vec::with_capacity(lines);
    for line in 1..=lines {
        let net = Decimal::new(12_345_678 + i64::try_from(line).unwrap() * 1_001, 2);
        let vat = (net * Decimal::new(15, 2)).round_dp(2);
        for (sum, value) in sums.iter_mut().zip([net, vat, net + vat]) {
            *sum += value;
        }
        let goods = if line % 2 == 0 {
            "ক্ষুদ্র যন্ত্রাংশ ও কর্তৃত্ব".to_owned()
        } else {
            format!("Office chair {line}")
        };
        rows.push(vec![
            Cell::Amount(Decimal::from(line)),
            Cell::Text(goods),
            said("piece"),
            amount("3"),
            Cell::Amount((net / Decimal::from(3)).round_dp(4)),
            Cell::Amount(net),
            Cell::Empty,
            Cell::Empty,
            amount("15"),
            Cell::Amount(vat),
            Cell::Amount(net + vat),
        ]);
    }
    let mut totals = vec![Cell::Empty; columns.len()];
    totals[0] = said("সর্বমোট");
    for (index, sum) in [5, 9, 10].into_iter().zip(sums) {
        totals[index] = Cell::Amount(sum);
    }
    let header = vec![
        field("নিবন্ধিত ব্যক্তির নাম", "Registered person", said("Padma Traders Ltd")),
        field("নিবন্ধিত ব্যক্তির বিআইএন", "BIN of the registered person", said("000828395-0207")),
        field("চালানপত্র ইস্যুর ঠিকানা", "Address of issue", said("12 Motijheel, Dhaka 1000")),
        field("ক্রেতার নাম", "Buyer", said("মেঘনা ট্রেডার্স")),
        field("ক্রেতার বিআইএন", "BIN of the buyer", said("001234567-0101")),
        field("চালানপত্র নম্বর", "Invoice number", said("17/2026-2027")),
        field("ইস্যুর তারিখ", "Date of issue", Cell::Day(Date::constant(2026, 8, 15))),
        field("ইস্যুর সময়", "Time of issue", said("12:00:00")),
    ];
    let footer = vec![
        field("দায়িত্বপ্রাপ্ত ব্যক্তির নাম", "Responsible person", said("Rahima Khatun")),
        field("স্বাক্ষর", "Signature", Cell::Empty),
    ];
    Form {
        code: "mushak-6.3".to_owned(),
        titles: both("কর চালানপত্র (মূসক-৬.৩)", "Tax invoice (Mushak-6.3)"),
        blocks: vec![
            Block::Fields(header),
            Block::Grid(Grid { columns, rows, totals }),
            Block::Fields(footer),
            Block::Paragraph(both("* সকল প্রকার কর ব্যতীত মূল্য", "* Price before all taxes")),
        ],
    }
}

/// A form of one grid with two columns, a text and an amount, and a total.
pub(super) fn list(texts: &[String]) -> Form {
    let rows = texts.iter().map(|text| vec![Cell::Text(text.clone()), amount("1.50")]).collect();
    let sum = Decimal::new(150, 2) * Decimal::from(texts.len());
    let grid = Grid {
        columns: vec![column("বর্ণনা", "Description", false), column("মূল্য", "Value", true)],
        rows,
        totals: vec![said("Total"), Cell::Amount(sum)],
    };
    Form {
        code: "list".to_owned(), titles: both("তালিকা", "List"), blocks: vec![Block::Grid(grid)]
    }
}
