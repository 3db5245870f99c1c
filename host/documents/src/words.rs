//! The few words that are this crate's and not the pack's, in the languages of the paper: Bangla, and English for any other.

use crate::numerals::digits;
use crate::options::Options;

/// `Page 1 of 3`.
pub(crate) fn page(options: &Options, languages: &[&str], number: usize, of: usize) -> String {
    let written = |number: usize| digits(&number.to_string(), options.numerals.digits);
    said(languages, |bangla| {
        if bangla {
            format!("পৃষ্ঠা {}/{}", written(number), written(of))
        } else {
            format!("Page {} of {}", written(number), written(of))
        }
    })
}

/// `Copy 1`.
pub(crate) fn copy(options: &Options, languages: &[&str], copy: u8) -> String {
    let number = digits(&copy.to_string(), options.numerals.digits);
    said(languages, |bangla| if bangla { format!("কপি {number}") } else { format!("Copy {number}") })
}

/// What the totals of the pages before are called.
pub(crate) fn brought_forward(languages: &[&str]) -> String {
    said(languages, |bangla| {
        if bangla {
            "পূর্ববর্তী পৃষ্ঠা থেকে আনীত"
        } else {
            "Brought forward"
        }
        .to_owned()
    })
}

/// What the totals up to the end of a page are called.
pub(crate) fn carried_forward(languages: &[&str]) -> String {
    said(languages, |bangla| {
        if bangla { "পরবর্তী পৃষ্ঠায় নীত" } else { "Carried forward" }.to_owned()
    })
}

/// In each language once.
fn said(languages: &[&str], say: impl Fn(bool) -> String) -> String {
    let mut texts: Vec<String> = Vec::with_capacity(2);
    for language in languages.iter().copied().chain(languages.is_empty().then_some("en")) {
        let text = say(language == "bn");
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_in_the_languages_of_the_paper() {
        let options = Options::default();
        assert_eq!(page(&options, &["en"], 2, 10), "Page 2 of 10");
        assert_eq!(page(&options, &["bn", "en"], 1, 1), "পৃষ্ঠা 1/1 / Page 1 of 1");
        assert_eq!(carried_forward(&[]), "Carried forward");
        // English stands in once for each language that is not known.
        assert_eq!(brought_forward(&["fr", "de"]), "Brought forward");
        let mut bangla = Options::default();
        bangla.numerals.digits = crate::numerals::Digits::Bangla;
        assert_eq!(copy(&bangla, &["bn"], 2), "কপি ২");
    }
}
