//! Amounts in words and in groups: every number below a hundred, and every boundary.

use niyam_sdk::Decimal;
use vat_bd::words::{Lakh, bangla, english, grouped, grouped_bangla};

use crate::build::dec;

/// 0 to 99 in both languages, written out.
#[rustfmt::skip]
const TABLE: [(&str, &str); 100] = [
    ("Zero", "শূন্য"), ("One", "এক"), ("Two", "দুই"), ("Three", "তিন"), ("Four", "চার"),
    ("Five", "পাঁচ"), ("Six", "ছয়"), ("Seven", "সাত"), ("Eight", "আট"), ("Nine", "নয়"),
    ("Ten", "দশ"), ("Eleven", "এগারো"), ("Twelve", "বারো"), ("Thirteen", "তেরো"), ("Fourteen", "চৌদ্দ"),
    ("Fifteen", "পনেরো"), ("Sixteen", "ষোলো"), ("Seventeen", "সতেরো"), ("Eighteen", "আঠারো"), ("Nineteen", "উনিশ"),
    ("Twenty", "বিশ"), ("Twenty One", "একুশ"), ("Twenty Two", "বাইশ"), ("Twenty Three", "তেইশ"), ("Twenty Four", "চব্বিশ"),
    ("Twenty Five", "পঁচিশ"), ("Twenty Six", "ছাব্বিশ"), ("Twenty Seven", "সাতাশ"), ("Twenty Eight", "আটাশ"), ("Twenty Nine", "ঊনত্রিশ"),
    ("Thirty", "ত্রিশ"), ("Thirty One", "একত্রিশ"), ("Thirty Two", "বত্রিশ"), ("Thirty Three", "তেত্রিশ"), ("Thirty Four", "চৌত্রিশ"),
    ("Thirty Five", "পঁয়ত্রিশ"), ("Thirty Six", "ছত্রিশ"), ("Thirty Seven", "সাঁইত্রিশ"), ("Thirty Eight", "আটত্রিশ"), ("Thirty Nine", "ঊনচল্লিশ"),
    ("Forty", "চল্লিশ"), ("Forty One", "একচল্লিশ"), ("Forty Two", "বিয়াল্লিশ"), ("Forty Three", "তেতাল্লিশ"), ("Forty Four", "চুয়াল্লিশ"),
    ("Forty Five", "পঁয়তাল্লিশ"), ("Forty Six", "ছেচল্লিশ"), ("Forty Seven", "সাতচল্লিশ"), ("Forty Eight", "আটচল্লিশ"), ("Forty Nine", "ঊনপঞ্চাশ"),
    ("Fifty", "পঞ্চাশ"), ("Fifty One", "একান্ন"), ("Fifty Two", "বাহান্ন"), ("Fifty Three", "তিপ্পান্ন"), ("Fifty Four", "চুয়ান্ন"),
    ("Fifty Five", "পঞ্চান্ন"), ("Fifty Six", "ছাপ্পান্ন"), ("Fifty Seven", "সাতান্ন"), ("Fifty Eight", "আটান্ন"), ("Fifty Nine", "ঊনষাট"),
    ("Sixty", "ষাট"), ("Sixty One", "একষট্টি"), ("Sixty Two", "বাষট্টি"), ("Sixty Three", "তেষট্টি"), ("Sixty Four", "চৌষট্টি"),
    ("Sixty Five", "পঁয়ষট্টি"), ("Sixty Six", "ছেষট্টি"), ("Sixty Seven", "সাতষট্টি"), ("Sixty Eight", "আটষট্টি"), ("Sixty Nine", "ঊনসত্তর"),
    ("Seventy", "সত্তর"), ("Seventy One", "একাত্তর"), ("Seventy Two", "বাহাত্তর"), ("Seventy Three", "তিয়াত্তর"), ("Seventy Four", "চুয়াত্তর"),
    ("Seventy Five", "পঁচাত্তর"), ("Seventy Six", "ছিয়াত্তর"), ("Seventy Seven", "সাতাত্তর"), ("Seventy Eight", "আটাত্তর"), ("Seventy Nine", "ঊনআশি"),
    ("Eighty", "আশি"), ("Eighty One", "একাশি"), ("Eighty Two", "বিরাশি"), ("Eighty Three", "তিরাশি"), ("Eighty Four", "চুরাশি"),
    ("Eighty Five", "পঁচাশি"), ("Eighty Six", "ছিয়াশি"), ("Eighty Seven", "সাতাশি"), ("Eighty Eight", "আটাশি"), ("Eighty Nine", "ঊননব্বই"),
    ("Ninety", "নব্বই"), ("Ninety One", "একানব্বই"), ("Ninety Two", "বিরানব্বই"), ("Ninety Three", "তিরানব্বই"), ("Ninety Four", "চুরানব্বই"),
    ("Ninety Five", "পঁচানব্বই"), ("Ninety Six", "ছিয়ানব্বই"), ("Ninety Seven", "সাতানব্বই"), ("Ninety Eight", "আটানব্বই"), ("Ninety Nine", "নিরানব্বই"),
];

#[test]
fn every_number_below_a_hundred_has_its_words_as_taka_and_as_paisa() {
    for (number, (in_english, in_bangla)) in TABLE.iter().enumerate() {
        let taka = Decimal::from(number);
        assert_eq!(english(taka), Some(format!("Taka {in_english} Only")));
        assert_eq!(bangla(taka, Lakh::Common), Some(format!("{in_bangla} টাকা")));
        let with_paisa = Decimal::from(100) + Decimal::new(i64::try_from(number).expect("small"), 2);
        let (and, paisa) = match number {
            0 => (String::new(), String::new()),
            _ => (format!(" and {in_english} Paisa"), format!(" {in_bangla} পয়সা")),
        };
        assert_eq!(english(with_paisa), Some(format!("Taka One Hundred{and} Only")));
        assert_eq!(bangla(with_paisa, Lakh::Common), Some(format!("এক শত টাকা{paisa}")));
    }
    let mut words: Vec<&str> = TABLE.iter().map(|row| row.1).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), 100, "no two numbers share a word");
}

#[test]
fn every_boundary_is_said() {
    for (amount, in_english, in_bangla) in [
        ("0.01", "Zero and One Paisa", "শূন্য টাকা এক পয়সা"),
        ("0.99", "Zero and Ninety Nine Paisa", "শূন্য টাকা নিরানব্বই পয়সা"),
        ("100", "One Hundred", "এক শত টাকা"),
        ("101", "One Hundred One", "এক শত এক টাকা"),
        ("999", "Nine Hundred Ninety Nine", "নয় শত নিরানব্বই টাকা"),
        ("1000", "One Thousand", "এক হাজার টাকা"),
        (
            "1345.50",
            "One Thousand Three Hundred Forty Five and Fifty Paisa",
            "এক হাজার তিন শত পঁয়তাল্লিশ টাকা পঞ্চাশ পয়সা",
        ),
        ("99999", "Ninety Nine Thousand Nine Hundred Ninety Nine", "নিরানব্বই হাজার নয় শত নিরানব্বই টাকা"),
        ("100000", "One Lakh", "এক লাখ টাকা"),
        ("100001", "One Lakh One", "এক লাখ এক টাকা"),
        (
            "9999999",
            "Ninety Nine Lakh Ninety Nine Thousand Nine Hundred Ninety Nine",
            "নিরানব্বই লাখ নিরানব্বই হাজার নয় শত নিরানব্বই টাকা",
        ),
        ("10000000", "One Crore", "এক কোটি টাকা"),
        (
            "12345678.90",
            "One Crore Twenty Three Lakh Forty Five Thousand Six Hundred Seventy Eight and Ninety Paisa",
            "এক কোটি তেইশ লাখ পঁয়তাল্লিশ হাজার ছয় শত আটাত্তর টাকা নব্বই পয়সা",
        ),
        ("10000000000", "One Thousand Crore", "এক হাজার কোটি টাকা"),
        (
            "99999999999.99",
            "Nine Thousand Nine Hundred Ninety Nine Crore Ninety Nine Lakh Ninety Nine Thousand Nine Hundred Ninety \
             Nine and Ninety Nine Paisa",
            "নয় হাজার নয় শত নিরানব্বই কোটি নিরানব্বই লাখ নিরানব্বই হাজার নয় শত নিরানব্বই টাকা নিরানব্বই পয়সা",
        ),
    ] {
        assert_eq!(english(dec(amount)), Some(format!("Taka {in_english} Only")), "{amount}");
        assert_eq!(bangla(dec(amount), Lakh::Common).as_deref(), Some(in_bangla), "{amount}");
    }
    assert_eq!(bangla(dec("200000"), Lakh::Formal).as_deref(), Some("দুই লক্ষ টাকা"));
}

#[test]
fn digits_are_grouped_by_lakh_and_crore() {
    for (amount, in_english, in_bangla) in [
        ("0", "0.00", "০.০০"),
        ("999.9", "999.90", "৯৯৯.৯০"),
        ("1000", "1,000.00", "১,০০০.০০"),
        ("99999.99", "99,999.99", "৯৯,৯৯৯.৯৯"),
        ("100000", "1,00,000.00", "১,০০,০০০.০০"),
        ("9999999", "99,99,999.00", "৯৯,৯৯,৯৯৯.০০"),
        ("12345678.90", "1,23,45,678.90", "১,২৩,৪৫,৬৭৮.৯০"),
        ("999999999", "99,99,99,999.00", "৯৯,৯৯,৯৯,৯৯৯.০০"),
        ("99999999999.99", "99,99,99,99,999.99", "৯৯,৯৯,৯৯,৯৯,৯৯৯.৯৯"),
    ] {
        assert_eq!(grouped(dec(amount)).as_deref(), Some(in_english), "{amount}");
        assert_eq!(grouped_bangla(dec(amount)).as_deref(), Some(in_bangla), "{amount}");
    }
}

#[test]
fn beyond_the_last_and_below_zero_nothing_is_said() {
    for amount in ["100000000000", "99999999999.995", "-0.01", "-1"] {
        assert_eq!(english(dec(amount)), None, "{amount}");
        assert_eq!(bangla(dec(amount), Lakh::Common), None, "{amount}");
        assert_eq!(grouped(dec(amount)), None, "{amount}");
    }
    assert_eq!(grouped(dec("99999999999.994")).as_deref(), Some("99,99,99,99,999.99"));
    assert_eq!(english(dec("0.005")).as_deref(), Some("Taka Zero and One Paisa Only"));
}
