//! What an attacker may have written into a name.

use niyam_values::Block;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed};

use super::{drawn, forms, options, pdf, runs};
use crate::numerals::{Digits, Grouping};
use crate::options::{Options, Paper};
use crate::pdf::DrawError;

/// Typst's own syntax, and what a careless writer of sources would let through.
const MARKUP: [&str; 22] = [
    r#"#read("/etc/passwd")"#,
    r#"#import "@preview/cetz:0.3.0""#,
    r#"#include "paper.typ""#,
    "#{while true {}}",
    "#sys.inputs",
    "#panic()",
    "$ sum_(i=0)^n $",
    "*bold* _thin_ `raw`",
    "<label> @reference",
    "= Heading",
    "- item",
    "// comment",
    "/* comment",
    r"\u{41} \ \#",
    "]] }} ))",
    r#"" + read("/etc/passwd") + ""#,
    "--- ... ~ -?",
    r#""quoted" 'it's'"#,
    "https://example.com/?a=b&c=d",
    "<script>alert(1)</script>",
    "%PDF-1.7 endstream endobj",
    "(\\) Tj /JavaScript",
];

fn english() -> Options {
    options(Some("en"), Digits::Latin, Grouping::None, None)
}

#[test]
fn markup_is_text_wherever_it_stands() {
    for said in MARKUP {
        let mut form = forms::list(&[said.to_owned()]);
        form.code = said.to_owned();
        form.titles = vec![forms::label("en", said), forms::label(said, said)];
        form.blocks.push(Block::Paragraph(vec![forms::label(said, said)]));
        if let Block::Grid(grid) = &mut form.blocks[0] {
            grid.columns[0].labels = vec![forms::label("en", said)];
            grid.columns[0].key = said.to_owned();
        }
        let everywhere = Options { language: None, ..english() };
        let laid = drawn(&form, &everywhere).unwrap_or_else(|error| panic!("{said}: {error}"));
        let text: String = runs(&laid).into_iter().flatten().map(|run| run.text).collect();
        let squeezed = |text: &str| text.replace([' ', '\u{200b}'], "");
        // Two titles, a head, a cell, a paragraph, the footer.
        assert_eq!(squeezed(&text).matches(&squeezed(said)).count(), 6, "{said}: {text}");
        assert!(pdf(&form, &everywhere).is_ok(), "{said}");
    }
}

#[test]
fn markup_is_text_in_html_too() {
    for said in MARKUP {
        let mut form = forms::list(&[said.to_owned()]);
        form.code = said.to_owned();
        form.titles = vec![forms::label(said, said)];
        let paper = Paper { form: &form, options: &Options::default(), date: super::DAY, seal: None };
        let page = crate::html(&paper);
        assert!(!page.contains("<script"), "{page}");
        let written =
            said.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert!(page.matches(&written).count() >= 3, "{said}: {page}");
    }
}

#[test]
fn odd_characters_are_printed_or_named() {
    for (said, printed) in [
        (
            "مرحبا بالعالم",
            "[U+0645 U+0631 U+062D U+0628 U+0627] [U+0628 U+0627 U+0644 U+0639 U+0627 U+0644 U+0645]",
        ),
        ("שלום", "[U+05E9 U+05DC U+05D5 U+05DD]"),
        ("李明", "[U+674E U+660E]"),
        ("🙂", "[U+1F642]"),
        ("total\u{202e}00.1", "total00.1"),
        ("bell\u{7}\u{0}", "bell[U+0007 U+0000]"),
        ("tab\tline\nfeed\r\n", "tab line feed"),
        ("e\u{301}", "e\u{301}"),
        ("\u{fffd}", "\u{fffd}"),
        ("\u{e000}\u{10ffff}", "[U+E000 U+10FFFF]"),
        ("ক্ষ র্য র\u{200d}্যাব", "ক্ষ র্য র\u{200d}্যাব"),
    ] {
        let form = forms::list(&[said.to_owned()]);
        let laid = drawn(&form, &english()).unwrap();
        let text: String = runs(&laid).into_iter().flatten().map(|run| run.text).collect();
        assert!(text.replace(' ', "").contains(&printed.replace(' ', "")), "{said:?}: {text:?}");
        // PDF/A takes no glyph that is none.
        assert!(pdf(&form, &english()).is_ok(), "{said:?}");
    }
}

#[test]
fn any_text_gives_a_paper() {
    let config = Config {
        cases: 48,
        rng_seed: RngSeed::Fixed(0x6e69_7961),
        rng_algorithm: RngAlgorithm::ChaCha,
        ..Config::default()
    };
    let word = prop_oneof![
        any::<String>(),
        "[\\u{980}-\\u{9ff}\\u{200c}\\u{200d}\\u{300}-\\u{320} ]{0,120}",
        "[#$*_<>@\\[\\]{}()\"'\\\\/=+~`.a-z -]{0,200}",
        "[0-9]{1,300}",
    ];
    let forms = (proptest::collection::vec(word.clone(), 0..70), word.clone(), word);
    proptest!(config, |((texts, title, code) in forms)| {
        let mut form = forms::list(&texts);
        form.titles.push(forms::label("xx", &title));
        form.code = code;
        match pdf(&form, &Options::default()) {
            Ok(bytes) => prop_assert!(bytes.starts_with(b"%PDF-")),
            Err(error) => prop_assert!(!matches!(error, DrawError::Typesetting(_)), "{error}"),
        }
    });
}
