//! Bangladesh's identifiers: what each looks like, and its normal form.
//!
//! No check digit of BIN, e-TIN or NID is published, so their lengths are all that is checked.

use niyam_sdk::{Finding, Party};

/// What an identifier of one kind must be.
struct Kind {
    name: &'static str,
    /// A name that is understood as well.
    also: &'static str,
    expected: &'static str,
    normal: fn(&str) -> Option<String>,
}

const KINDS: [Kind; 13] = [
    kind("bin", "", "13 digits, the last four after an optional hyphen (000828395-0207)", bin),
    kind("etin", "", "12 digits", etin),
    kind("nid", "", "10, 13 or 17 digits; 17 begin with the year of birth", nid),
    kind("mobile", "", "01 and nine digits, the first 3 to 9, also after 880 or +880", mobile),
    kind("wallet:bkash", "bkash", "a mobile number of 11 digits (01712345678)", local_mobile),
    kind("wallet:nagad", "nagad", "a mobile number of 11 digits (01712345678)", local_mobile),
    kind("wallet:rocket", "rocket", "a mobile number of 11 digits and one digit more", rocket),
    kind("wallet:upay", "upay", "a mobile number", mobile),
    kind("wallet:surecash", "surecash", "a mobile number", mobile),
    kind("wallet:mcash", "mcash", "a mobile number", mobile),
    kind("wallet:tcash", "tcash", "a mobile number", mobile),
    kind("bank-routing", "", "9 digits with their leading zero, the last a check digit", bank_routing),
    kind("bank-account", "", "8 to 20 letters or digits", bank_account),
];

const fn kind(
    name: &'static str,
    also: &'static str,
    expected: &'static str,
    normal: fn(&str) -> Option<String>,
) -> Kind {
    Kind { name, also, expected, normal }
}

/// The normal form of `value`.
pub(crate) fn check(name: &str, value: &str) -> Result<String, Vec<Finding>> {
    let Some(kind) = find(name) else {
        return Err(vec![unknown(Finding::error, name).at("/kind")]);
    };
    (kind.normal)(value.trim()).ok_or_else(|| vec![invalid(kind).at("/value")])
}

/// Checks every identifier of a party that stands at `pointer` in the document; an unknown kind only warns.
pub(crate) fn check_party(party: &Party, pointer: &str, findings: &mut Vec<Finding>) {
    for (at, identifier) in party.identifiers.iter().enumerate() {
        let place = |field: &str| format!("{pointer}/identifiers/{at}/{field}");
        match find(&identifier.kind) {
            None => findings.push(unknown(Finding::warning, &identifier.kind).at(place("kind"))),
            Some(kind) if (kind.normal)(identifier.value.trim()).is_none() => {
                findings.push(invalid(kind).at(place("value")));
            }
            Some(_) => {}
        }
    }
}

/// Kinds are written with `-` or `_`; case does not count.
fn find(name: &str) -> Option<&'static Kind> {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    let same = |known: &str| known.len() == name.len() && known.bytes().eq(name.bytes().map(plain));
    KINDS.iter().find(|kind| same(kind.name) || !kind.also.is_empty() && same(kind.also))
}

fn unknown(finding: impl Fn(&'static str, String) -> Finding, name: &str) -> Finding {
    let known = KINDS.map(|kind| kind.name).join(", ");
    finding("identifier-kind-unknown", format!("no kind of identifier is called {name}; known are {known}"))
}

fn invalid(kind: &Kind) -> Finding {
    Finding::error("identifier-invalid", format!("a {} is {}", kind.name, kind.expected))
}

fn bin(value: &str) -> Option<String> {
    let (head, tail) = value.split_once('-').or_else(|| value.split_at_checked(9))?;
    (digits(head, 9) && digits(tail, 4)).then(|| format!("{head}-{tail}"))
}

fn etin(value: &str) -> Option<String> {
    digits(value, 12).then(|| value.to_owned())
}

fn nid(value: &str) -> Option<String> {
    let plausible = match value.len() {
        10 | 13 => digits(value, value.len()),
        17 => digits(value, 17) && (value.starts_with("19") || value.starts_with("20")),
        _ => false,
    };
    plausible.then(|| value.to_owned())
}

fn mobile(value: &str) -> Option<String> {
    let value = value.strip_prefix('+').filter(|rest| rest.starts_with("880")).unwrap_or(value);
    match value.strip_prefix("880") {
        Some(rest) => local_mobile(&format!("0{rest}")),
        None => local_mobile(value),
    }
}

fn local_mobile(value: &str) -> Option<String> {
    is_local_mobile(value).then(|| value.to_owned())
}

fn rocket(value: &str) -> Option<String> {
    let (mobile, check) = value.split_at_checked(11)?;
    (is_local_mobile(mobile) && digits(check, 1)).then(|| value.to_owned())
}

/// Bank 3, district 2, branch 3, check digit. The weights 5 7 1 are nowhere published; every routing number of a
/// public list of ten thousand obeys them.
fn bank_routing(value: &str) -> Option<String> {
    let weights = [5, 7, 1].into_iter().cycle();
    let sum: u32 = value.bytes().zip(weights).map(|(digit, weight)| u32::from(digit & 15) * weight).sum();
    (digits(value, 9) && sum % 10 == 0).then(|| value.to_owned())
}

fn bank_account(value: &str) -> Option<String> {
    let fits = (8..=20).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| value.to_owned())
}

fn is_local_mobile(value: &str) -> bool {
    digits(value, 11) && value.starts_with("01") && value.as_bytes()[2] >= b'3'
}

fn digits(value: &str, count: usize) -> bool {
    value.len() == count && value.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn gives_the_normal_form() {
        for (kind, value, normal) in [
            ("bin", "000828395-0207", "000828395-0207"),
            ("bin", " 0008283950207 ", "000828395-0207"),
            ("BIN", "0008283950207", "000828395-0207"),
            ("etin", "224187378587", "224187378587"),
            ("nid", "1234567890", "1234567890"),
            ("nid", "1234567890123", "1234567890123"),
            ("nid", "19901234567890123", "19901234567890123"),
            ("mobile", "01712345678", "01712345678"),
            ("mobile", "+8801712345678", "01712345678"),
            ("mobile", "8801712345678", "01712345678"),
            ("wallet:bkash", "01712345678", "01712345678"),
            ("bkash", "01712345678", "01712345678"),
            ("wallet:nagad", "01312345678", "01312345678"),
            ("wallet:rocket", "017123456789", "017123456789"),
            ("wallet:upay", "01912345678", "01912345678"),
            ("wallet:surecash", "01912345678", "01912345678"),
            ("mcash", "01912345678", "01912345678"),
            ("tcash", "01912345678", "01912345678"),
            ("bank-routing", "085260728", "085260728"),
            ("bank_routing", "085260728", "085260728"),
            ("bank-account", "1501100012345", "1501100012345"),
        ] {
            assert_eq!(check(kind, value).as_deref(), Ok(normal), "{kind} {value}");
        }
    }

    #[test]
    fn refuses_what_is_none_and_says_what_is_expected() {
        for (kind, value) in [
            ("bin", "000828395020"),
            ("bin", "00082839502070"),
            ("bin", "0008-283950207"),
            ("bin", "00082839502O7"),
            ("bin", "০০০৮২৮৩৯৫০২০৭"),
            ("bin", ""),
            ("etin", "22418737858"),
            ("nid", "12345678901"),
            ("nid", "18001234567890123"),
            ("mobile", "01212345678"),
            ("mobile", "+01712345678"),
            ("mobile", "0171234567"),
            ("wallet:bkash", "017123456789"),
            ("wallet:rocket", "01712345678"),
            ("bank-routing", "85260728"),
            ("bank-routing", "085260729"),
            ("bank-account", "1234567"),
            ("bank-account", "123456789012345678901"),
        ] {
            let findings = check(kind, value).expect_err(value);
            assert_eq!(findings[0].code, "identifier-invalid", "{kind} {value}");
            assert_eq!(findings[0].pointer.as_deref(), Some("/value"));
        }
    }

    #[test]
    fn an_unknown_kind_lists_the_known_ones() {
        let findings = check("passport", "A1").expect_err("unknown");
        assert_eq!(findings[0].code, "identifier-kind-unknown");
        assert!(findings[0].message.contains("bank-routing"));
    }
}
