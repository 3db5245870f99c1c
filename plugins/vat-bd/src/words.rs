//! Amounts as they are written: grouped by lakh and crore, and in words, in Bangla and English.
//!
//! From 0 to 99,99,99,99,999.99 taka; above, and below zero, there is no text.

use niyam_sdk::{Decimal, round_half_up};

pub use crate::config::Lakh;

/// The largest amount, in paisa.
const PAISA_MAX: u64 = 9_999_999_999_999;

const CRORE: u64 = 10_000_000;
const LAKH: u64 = 100_000;

const ENGLISH: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const TENS: [&str; 10] =
    ["", "", "Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];

/// Bangla has a word of its own for each number below a hundred.
#[rustfmt::skip]
const BANGLA: [&str; 100] = [
    "শূন্য", "এক", "দুই", "তিন", "চার", "পাঁচ", "ছয়", "সাত", "আট", "নয়",
    "দশ", "এগারো", "বারো", "তেরো", "চৌদ্দ", "পনেরো", "ষোলো", "সতেরো", "আঠারো", "উনিশ",
    "বিশ", "একুশ", "বাইশ", "তেইশ", "চব্বিশ", "পঁচিশ", "ছাব্বিশ", "সাতাশ", "আটাশ", "ঊনত্রিশ",
    "ত্রিশ", "একত্রিশ", "বত্রিশ", "তেত্রিশ", "চৌত্রিশ", "পঁয়ত্রিশ", "ছত্রিশ", "সাঁইত্রিশ", "আটত্রিশ", "ঊনচল্লিশ",
    "চল্লিশ", "একচল্লিশ", "বিয়াল্লিশ", "তেতাল্লিশ", "চুয়াল্লিশ", "পঁয়তাল্লিশ", "ছেচল্লিশ", "সাতচল্লিশ", "আটচল্লিশ", "ঊনপঞ্চাশ",
    "পঞ্চাশ", "একান্ন", "বাহান্ন", "তিপ্পান্ন", "চুয়ান্ন", "পঞ্চান্ন", "ছাপ্পান্ন", "সাতান্ন", "আটান্ন", "ঊনষাট",
    "ষাট", "একষট্টি", "বাষট্টি", "তেষট্টি", "চৌষট্টি", "পঁয়ষট্টি", "ছেষট্টি", "সাতষট্টি", "আটষট্টি", "ঊনসত্তর",
    "সত্তর", "একাত্তর", "বাহাত্তর", "তিয়াত্তর", "চুয়াত্তর", "পঁচাত্তর", "ছিয়াত্তর", "সাতাত্তর", "আটাত্তর", "ঊনআশি",
    "আশি", "একাশি", "বিরাশি", "তিরাশি", "চুরাশি", "পঁচাশি", "ছিয়াশি", "সাতাশি", "আটাশি", "ঊননব্বই",
    "নব্বই", "একানব্বই", "বিরানব্বই", "তিরানব্বই", "চুরানব্বই", "পঁচানব্বই", "ছিয়ানব্বই", "সাতানব্বই", "আটানব্বই", "নিরানব্বই",
];

/// `1,23,45,678.90`.
#[must_use]
pub fn grouped(amount: Decimal) -> Option<String> {
    let paisa = paisa(amount)?;
    let taka = (paisa / 100).to_string();
    let mut text = String::with_capacity(20);
    for (at, digit) in taka.chars().enumerate() {
        let left = taka.len() - at;
        // After the last three digits, groups of two.
        if at > 0 && left >= 3 && left % 2 == 1 {
            text.push(',');
        }
        text.push(digit);
    }
    text.push('.');
    let paisa = paisa % 100;
    for digit in [paisa / 10, paisa % 10] {
        text.push(char::from_digit(u32::try_from(digit).ok()?, 10)?);
    }
    Some(text)
}

/// `১,২৩,৪৫,৬৭৮.৯০`.
#[must_use]
pub fn grouped_bangla(amount: Decimal) -> Option<String> {
    grouped(amount).map(|text| bangla_digits(&text))
}

/// The text with its ASCII digits as Bangla ones.
#[must_use]
pub fn bangla_digits(text: &str) -> String {
    let digit = |letter: char| match letter.to_digit(10) {
        Some(value) => char::from_u32(0x09e6 + value).unwrap_or(letter),
        None => letter,
    };
    text.chars().map(digit).collect()
}

/// `Taka One Lakh Two Hundred Three and Fifty Paisa Only`.
#[must_use]
pub fn english(amount: Decimal) -> Option<String> {
    let paisa = paisa(amount)?;
    let mut text = "Taka ".to_owned();
    push_english(&mut text, paisa / 100);
    if paisa % 100 > 0 {
        text.push_str(" and ");
        push_below_hundred(&mut text, paisa % 100);
        text.push_str(" Paisa");
    }
    text.push_str(" Only");
    Some(text)
}

/// `এক হাজার তিন শত পঁয়তাল্লিশ টাকা পঞ্চাশ পয়সা`.
#[must_use]
pub fn bangla(amount: Decimal, lakh: Lakh) -> Option<String> {
    let paisa = paisa(amount)?;
    let mut text = String::new();
    push_bangla(&mut text, paisa / 100, lakh);
    text.push_str(" টাকা");
    if paisa % 100 > 0 {
        text.push(' ');
        text.push_str(below_hundred(paisa % 100));
        text.push_str(" পয়সা");
    }
    Some(text)
}

fn paisa(amount: Decimal) -> Option<u64> {
    let rounded = round_half_up(amount, 2).checked_mul(Decimal::ONE_HUNDRED)?;
    u64::try_from(rounded).ok().filter(|paisa| *paisa <= PAISA_MAX)
}

fn push_english(text: &mut String, number: u64) {
    let mut rest = number;
    let mut said = false;
    for (size, name) in [(CRORE, "Crore"), (LAKH, "Lakh"), (1_000, "Thousand"), (100, "Hundred")] {
        if rest >= size {
            if said {
                text.push(' ');
            }
            // Crores are counted up to 9,999, so they are a number of their own.
            push_english(text, rest / size);
            text.push(' ');
            text.push_str(name);
            rest %= size;
            said = true;
        }
    }
    if rest > 0 || !said {
        if said {
            text.push(' ');
        }
        push_below_hundred(text, rest);
    }
}

fn push_below_hundred(text: &mut String, number: u64) {
    let at = usize::try_from(number).unwrap_or(0);
    if let Some(word) = ENGLISH.get(at) {
        text.push_str(word);
        return;
    }
    text.push_str(TENS[at / 10 % 10]);
    if at % 10 > 0 {
        text.push(' ');
        text.push_str(ENGLISH[at % 10]);
    }
}

fn push_bangla(text: &mut String, number: u64, lakh: Lakh) {
    let hundred_thousand = match lakh {
        Lakh::Common => "লাখ",
        Lakh::Formal => "লক্ষ",
    };
    let mut rest = number;
    let mut said = false;
    for (size, name) in [(CRORE, "কোটি"), (LAKH, hundred_thousand), (1_000, "হাজার"), (100, "শত")]
    {
        if rest >= size {
            if said {
                text.push(' ');
            }
            push_bangla(text, rest / size, lakh);
            text.push(' ');
            text.push_str(name);
            rest %= size;
            said = true;
        }
    }
    if rest > 0 || !said {
        if said {
            text.push(' ');
        }
        text.push_str(below_hundred(rest));
    }
}

fn below_hundred(number: u64) -> &'static str {
    usize::try_from(number).ok().and_then(|at| BANGLA.get(at)).copied().unwrap_or("")
}
