//! The fonts of every paper, and how wide a text is at most.
//!
//! Latin comes first and has no joiners, so that a Bangla word is shaped whole by its own font.

use std::sync::LazyLock;

use ttf_parser::Face;

/// Regular and bold, each with Latin before Bangla.
pub(crate) static FILES: [&[u8]; 4] = [
    include_bytes!("../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../fonts/NotoSansBengali-Regular.ttf"),
    include_bytes!("../fonts/NotoSans-Bold.ttf"),
    include_bytes!("../fonts/NotoSansBengali-Bold.ttf"),
];

/// How heavy a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

static REGULAR: LazyLock<Widths> = LazyLock::new(|| Widths::of(&FILES[..2]));
static BOLD: LazyLock<Widths> = LazyLock::new(|| Widths::of(&FILES[2..]));

/// Advance widths, in ems.
struct Widths {
    faces: Vec<Face<'static>>,
    /// Of ASCII, which most of a large table is.
    ascii: [f64; 128],
}

impl Widths {
    fn of(files: &[&'static [u8]]) -> Self {
        let faces = files.iter().filter_map(|file| Face::parse(file, 0).ok()).collect();
        let mut widths = Self { faces, ascii: [0.0; 128] };
        for code in 0..128_u8 {
            widths.ascii[usize::from(code)] = widths.find(char::from(code)).unwrap_or(0.0);
        }
        widths
    }

    fn find(&self, character: char) -> Option<f64> {
        self.faces.iter().find_map(|face| {
            let glyph = face.glyph_index(character).filter(|glyph| glyph.0 != 0)?;
            let units = f64::from(face.units_per_em());
            Some(f64::from(face.glyph_hor_advance(glyph)?) / units)
        })
    }
}

/// Whether a paper can show the character.
pub(crate) fn covers(character: char) -> bool {
    REGULAR.find(character).is_some()
}

/// How wide a text is, in ems, if none of its letters join: shaping makes Bangla narrower.
pub(crate) fn width(text: &str, weight: Weight) -> f64 {
    text.chars().map(|character| advance(character, weight)).sum()
}

pub(crate) fn advance(character: char, weight: Weight) -> f64 {
    let widths = match weight {
        Weight::Regular => &*REGULAR,
        Weight::Bold => &*BOLD,
    };
    let code = u32::from(character) as usize;
    match widths.ascii.get(code) {
        Some(width) => *width,
        None => widths.find(character).unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_the_papers_has_a_glyph_in_both_weights() {
        let bangla = ('\u{980}'..='\u{9fe}').filter(|character| REGULAR.find(*character).is_some()).count();
        assert!(bangla > 90, "{bangla}");
        for character in ('!'..='~').chain("০১২৩৪৫৬৭৮৯৳।–—’“”€\u{200c}\u{200d}\u{200b}éŁßЖΩ".chars())
        {
            for weight in [&REGULAR, &BOLD] {
                assert!(weight.find(character).is_some(), "{character:?}");
            }
        }
        assert!(!covers('李') && !covers('😀') && !covers('ا'));
    }

    #[test]
    fn joiners_are_those_of_the_bangla_font() {
        for face in [&REGULAR.faces[0], &BOLD.faces[0]] {
            assert!(face.glyph_index('\u{200d}').is_none() && face.glyph_index('\u{200c}').is_none());
        }
    }

    #[test]
    fn digits_are_all_of_one_width() {
        for weight in [Weight::Regular, Weight::Bold] {
            for digits in ["0123456789", "০১২৩৪৫৬৭৮৯"] {
                let widths: Vec<f64> = digits.chars().map(|digit| advance(digit, weight)).collect();
                assert!(widths[0] > 0.3, "{widths:?}");
            }
        }
    }
}
