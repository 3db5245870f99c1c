//! What another program reads in a PDF: `pdftotext` of Poppler.

use std::fs;
use std::process::Command;
use std::thread;

use niyam_values::Form;

use super::{forms, options, pdf};
use crate::numerals::{Digits, Grouping};
use crate::options::Options;

fn extracted(form: &Form, options: &Options) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paper.pdf");
    fs::write(&path, pdf(form, options).unwrap()).unwrap();
    let output = Command::new("pdftotext").args(["-layout", "-enc", "UTF-8"]).arg(&path).arg("-").output();
    let output = output.expect("pdftotext is installed (poppler-utils; `cargo xtask test` does it)");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Without spaces: between letters it guesses them from distances, and puts some behind vowel signs that take no room.
fn close(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn both_scripts_are_read_as_they_were_written() {
    let text = extracted(&forms::invoice(3), &options(None, Digits::Latin, Grouping::Lakh, Some(1)));
    for said in [
        "কর চালানপত্র (মূসক-৬.৩)",
        "Tax invoice (Mushak-6.3)",
        "মেঘনা ট্রেডার্স",
        "ক্ষুদ্র যন্ত্রাংশ ও কর্তৃত্ব",
        "Padma Traders Ltd",
        "000828395-0207",
        "2026-08-15",
        "1,23,466.79",
        "কপি 1 / Copy 1",
        "Page 1 of 1",
        "সর্বমোট",
    ] {
        assert!(close(&text).contains(&close(said)), "{said} is not in {text}");
    }
    let text = extracted(&forms::invoice(3), &options(Some("bn"), Digits::Bangla, Grouping::Lakh, None));
    for said in ["১,২৩,৪৬৬.৭৯", "২০২৬-০৮-১৫", "পৃষ্ঠা ১/১"] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    assert!(!text.contains("Tax invoice"));
}

#[test]
fn a_paper_is_the_same_bytes_whoever_draws_it_and_whenever() {
    let options = options(None, Digits::Latin, Grouping::Lakh, Some(1));
    let (one, long) = (forms::invoice(3), forms::invoice(70));
    let first = [pdf(&one, &options).unwrap(), pdf(&long, &options).unwrap()];
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert_eq!(pdf(&long, &options).unwrap(), first[1]);
                    assert_eq!(pdf(&one, &options).unwrap(), first[0]);
                }
            });
        }
    });
    let mut other = options.clone();
    other.copy = Some(2);
    assert_ne!(pdf(&one, &other).unwrap(), first[0]);
}

#[test]
fn a_paper_is_an_archival_file_with_its_own_date() {
    let bytes = pdf(&forms::invoice(1), &Options::default()).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("<pdfaid:part>2</pdfaid:part>"));
    assert!(text.contains("<pdfaid:conformance>B</pdfaid:conformance>"));
    assert!(text.contains("2026-08-15T00:00:00"));
    for active in ["/JavaScript", "/JS", "/Launch", "/URI", "/EmbeddedFile", "/OpenAction"] {
        assert!(!text.contains(active), "{active}");
    }
}

#[test]
fn the_digest_is_that_of_the_json() {
    let form = forms::invoice(1);
    let json = crate::json(&form).unwrap();
    let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(read["titles"]["en"], "Tax invoice (Mushak-6.3)");
    assert_eq!(crate::digest(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let mut other = form.clone();
    other.code.push('x');
    assert_ne!(crate::digest(&json), crate::digest(&crate::json(&other).unwrap()));
}
