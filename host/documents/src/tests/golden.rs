//! Pages compared pixel by pixel with those kept in `tests/golden`.
//!
//! `UPDATE_GOLDEN=1` writes them anew; look at what changed before it is committed.

use std::path::PathBuf;
use std::{env, fs};

use niyam_values::Form;
use typst::utils::Scalar;
use typst_render::RenderOptions;

use super::{drawn, forms, options};
use crate::numerals::{Digits, Grouping};
use crate::options::Options;

fn compare(name: &str, form: &Form, options: &Options, pages: &[usize]) {
    let laid = drawn(form, options).unwrap();
    assert_eq!(laid.pages(), pages.iter().max().unwrap() + 1, "{name}");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for page in pages {
        let render = RenderOptions { pixel_per_pt: Scalar::new(1.2), render_bleed: false };
        let pixels = typst_render::render(&laid.0.pages()[*page], &render);
        let path = folder.join(format!("{name}-{}.png", page + 1));
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(&folder).unwrap();
            pixels.save_png(&path).unwrap();
        }
        let kept =
            tiny_skia::Pixmap::load_png(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if kept != pixels {
            let other = env::temp_dir().join(format!("{name}-{}.png", page + 1));
            pixels.save_png(&other).unwrap();
            panic!("{} is not what is drawn now: {}", path.display(), other.display());
        }
    }
}

#[test]
fn an_invoice_in_both_languages() {
    let options = options(None, Digits::Latin, Grouping::Lakh, Some(1));
    compare("invoice-both", &forms::invoice(3), &options, &[0]);
}

#[test]
fn an_invoice_in_bangla_with_bangla_digits() {
    let options = options(Some("bn"), Digits::Bangla, Grouping::Lakh, Some(2));
    compare("invoice-bangla", &forms::invoice(3), &options, &[0]);
}

#[test]
fn a_long_invoice_carries_its_totals() {
    let options = options(Some("en"), Digits::Latin, Grouping::Lakh, None);
    compare("invoice-long", &forms::invoice(70), &options, &[0, 1, 2]);
}

#[test]
fn a_list_stands_upright() {
    let texts: Vec<String> = (1..=4).map(|line| format!("Line {line}, মাল")).collect();
    let options = options(None, Digits::Latin, Grouping::None, None);
    compare("list", &forms::list(&texts), &options, &[0]);
}
