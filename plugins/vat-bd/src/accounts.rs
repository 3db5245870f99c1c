//! A chart of accounts to begin with, and what codes look like.
//!
//! No authority of Bangladesh prescribes codes: both are the pack's own convention. The accounts are those that its taxes
//! need apart, and a small trading company besides.

use niyam_sdk::{AccountTemplate, Finding};

use crate::tables;

/// The accounts of `data/accounts.csv`, each after the one above it.
pub(crate) fn chart() -> Vec<AccountTemplate> {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let account = |row: &tables::AccountRow| AccountTemplate {
        code: row.code.to_owned(),
        name: row.name.to_owned(),
        class: row.class.to_owned(),
        parent: text(row.parent),
        role: text(row.role),
    };
    tables::ACCOUNTS.iter().map(account).collect()
}

/// Four to six digits, the first of them the class: 1 assets, 2 liabilities, 3 equity, 4 income, 5 expenses.
pub(crate) fn check_code(code: &str) -> Result<(), Vec<Finding>> {
    let digits = (4..=6).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    if digits && code.starts_with(|first| ('1'..='5').contains(&first)) {
        return Ok(());
    }
    let message = "an account's code has four to six digits, the first of them 1 to 5, its class";
    Err(vec![Finding::error("account-code-invalid", message).at("/code")])
}

#[cfg(test)]
mod tests {
    use super::{chart, check_code};

    #[test]
    fn codes_are_digits_that_begin_with_the_class() {
        for code in ["1000", "11101", "591099"] {
            assert!(check_code(code).is_ok(), "{code}");
        }
        for code in ["", "100", "1000000", "6000", "0100", "10a0", "১০০০", "1 00", "-100"] {
            let findings = check_code(code).expect_err(code);
            assert_eq!(findings[0].code, "account-code-invalid");
        }
    }

    #[test]
    fn every_code_of_the_chart_is_one_and_begins_with_its_class() {
        let accounts = chart();
        assert!(accounts.len() > 40);
        for account in accounts {
            assert!(check_code(&account.code).is_ok(), "{}", account.code);
            let first = ["", "asset", "liability", "equity", "income", "expense"];
            let class: usize = account.code[..1].parse().expect("a digit");
            assert_eq!(first[class], account.class, "{}", account.code);
        }
    }
}
