//! What of a text is printed.
//!
//! Names come from anywhere, and a paper must not be bent by them: no line breaks that draw fields of their own, no marks that turn
//! the direction of what follows, no pile of accents over the lines above. What no font here has is printed as its code point,
//! so that nothing on a paper is silently other than in the books.

use std::fmt::Write as _;

/// Most marks on one letter; a pile of more covers other text.
const MARKS_MAX: usize = 4;

/// For a medium with fonts of its own.
pub(crate) fn clean(text: &str) -> String {
    printable(text, |_| true)
}

/// One line of text with single blanks; characters for which `covers` is false, and control characters, by their code points.
pub(crate) fn printable(text: &str, covers: impl Fn(char) -> bool) -> String {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    let mut printed = String::with_capacity(text.len());
    let (mut marks, mut blank, mut coded) = (0, false, false);
    for character in text.chars() {
        if character.is_whitespace() {
            (blank, marks) = (true, 0);
            continue;
        }
        let joiner = matches!(character, '\u{200c}' | '\u{200d}');
        if ignorable(character) || (joiner && !printed.chars().next_back().is_some_and(bangla)) {
            continue;
        }
        marks = if mark(character) { marks + 1 } else { 0 };
        if marks > MARKS_MAX {
            continue;
        }
        let shown = !character.is_control() && covers(character);
        // Codes of neighbours share their brackets.
        if shown && coded {
            printed.push(']');
        }
        if blank && !printed.is_empty() {
            if coded && !shown {
                printed.push(']');
                coded = false;
            }
            printed.push(' ');
        }
        if shown {
            printed.push(character);
        } else {
            printed.push(if coded { ' ' } else { '[' });
            // Writing to a string cannot fail.
            let _ = write!(printed, "U+{:04X}", u32::from(character));
        }
        (blank, coded) = (false, !shown);
    }
    if coded {
        printed.push(']');
    }
    printed
}

/// Characters that draw nothing but change how others are drawn, joiners apart.
fn ignorable(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether it is drawn upon the letter before it, in the scripts that the fonts have.
pub(crate) fn mark(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{951}' | '\u{952}' | '\u{981}'..='\u{983}' | '\u{9bc}'
        | '\u{9be}'..='\u{9cd}' | '\u{9d7}' | '\u{9e2}' | '\u{9e3}' | '\u{9fe}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1cd0}'..='\u{1cff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

fn bangla(character: char) -> bool {
    matches!(character, '\u{980}'..='\u{9ff}' | '\u{200c}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::{clean, printable};

    #[test]
    fn a_text_is_one_line_that_turns_nothing_around() {
        for (text, printed) in [
            ("Acme Ltd", "Acme Ltd"),
            ("  Acme\r\n\tLtd\u{a0} ", "Acme Ltd"),
            ("invoice\u{202e}gnp.exe", "invoicegnp.exe"),
            ("a\u{2066}b\u{2069}\u{200f}\u{feff}c", "abc"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("bell\u{7}", "bell[U+0007]"),
            ("nul\u{0}\u{1b}[31m", "nul[U+0000 U+001B][31m"),
            ("\u{0} \u{0}", "[U+0000] [U+0000]"),
            ("", ""),
            ("\n", ""),
        ] {
            assert_eq!(clean(text), printed, "{text:?}");
        }
    }

    #[test]
    fn bangla_keeps_its_joiners_and_others_have_none() {
        assert_eq!(clean("র\u{200d}্যাব"), "র\u{200d}্যাব");
        assert_eq!(clean("ক্\u{200c}ষ"), "ক্\u{200c}ষ");
        assert_eq!(clean("a\u{200d}b\u{200c}"), "ab");
        assert_eq!(clean("কর চালানপত্র (মূসক-৬.৩)"), "কর চালানপত্র (মূসক-৬.৩)");
    }

    #[test]
    fn marks_do_not_pile_up() {
        let pile = format!("a{}b", "\u{301}".repeat(300));
        assert_eq!(clean(&pile).chars().count(), 6);
        assert_eq!(clean("e\u{301}"), "e\u{301}");
    }

    #[test]
    fn what_no_font_has_is_named() {
        let latin = |character: char| character.is_ascii();
        assert_eq!(printable("Li 李明 Ltd", latin), "Li [U+674E U+660E] Ltd");
        assert_eq!(printable("李 明", latin), "[U+674E] [U+660E]");
        assert_eq!(printable("😀", latin), "[U+1F600]");
        assert_eq!(printable("مرحبا", latin), "[U+0645 U+0631 U+062D U+0628 U+0627]");
    }
}
