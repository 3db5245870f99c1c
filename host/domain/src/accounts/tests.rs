//! Given a chart, when a command, then events or a rejection.

use niyam_values::AccountTemplate;

use super::*;
use crate::aggregate::Aggregate as _;
use crate::invoice::tests::decision;
use crate::rejection::Rejection;

fn row(code: &str, class: &str, parent: Option<&str>, role: Option<&str>) -> AccountTemplate {
    AccountTemplate {
        code: code.to_owned(),
        name: format!("Account {code}"),
        class: class.to_owned(),
        parent: parent.map(str::to_owned),
        role: role.map(str::to_owned),
    }
}

fn template() -> Vec<AccountTemplate> {
    vec![
        row("1", "asset", None, None),
        row("11", "asset", Some("1"), None),
        row("1101", "asset", Some("11"), Some("bank")),
        row("1102", "asset", Some("11"), Some("receivable")),
        row("1103", "asset", Some("11"), None),
        row("2", "liability", None, None),
        row("2201", "liability", Some("2"), Some("output-tax:vat")),
        row("2202", "liability", Some("2"), Some("output-tax")),
        row("3", "equity", None, None),
        row("3101", "equity", Some("3"), Some("retained-earnings")),
        row("4", "income", None, None),
        row("4001", "income", Some("4"), Some("revenue")),
        row("4002", "income", Some("4"), Some("rounding")),
        row("5", "expense", None, None),
        row("5001", "expense", Some("5"), None),
        row("5002", "expense", Some("5"), None),
    ]
}

/// A chart with `1101` bank, `1102` receivable, `1103` a plain asset, `2201` and `2202` output tax, `4001` revenue.
pub(crate) fn chart() -> Chart {
    let accounts = accounts_of_template(&template()).unwrap();
    let created = ChartEvent::Created(ChartCreated { accounts, decision: decision("chart-of-accounts") });
    Chart::evolve(None, created).unwrap()
}

pub(crate) fn code(text: &str) -> AccountCode {
    text.parse().unwrap()
}

fn when(chart: &Chart, command: ChartCommand) -> Result<Chart, Rejection> {
    let events = Chart::decide(Some(chart), command)?;
    Ok(events.into_iter().fold(chart.clone(), |chart, event| Chart::evolve(Some(chart), event).unwrap()))
}

fn add(code_of: &str, class: AccountClass, parent: Option<&str>, role: Option<&str>) -> ChartCommand {
    ChartCommand::Add(AddAccount {
        account: NewAccount {
            code: code(code_of),
            name: "New".to_owned(),
            class,
            parent: parent.map(code),
            kind: AccountKind::Posting,
            role: role.map(|role| role.parse().unwrap()),
        },
        decision: decision("check-account-code"),
    })
}

fn move_to(account: &str, parent: Option<&str>) -> ChartCommand {
    ChartCommand::Move(MoveAccount { code: code(account), parent: parent.map(code) })
}

pub(crate) fn deactivate(account: &str) -> ChartCommand {
    ChartCommand::Deactivate(DeactivateAccount { code: code(account) })
}

fn assign(role: &str, account: &str) -> ChartCommand {
    ChartCommand::AssignRole(AssignRole { role: role.parse().unwrap(), code: code(account) })
}

fn findings<T: std::fmt::Debug>(refused: Result<T, Rejection>) -> Vec<(String, String)> {
    let Err(Rejection::Findings(findings)) = refused else { panic!("{refused:?}") };
    findings.into_iter().map(|finding| (finding.code, finding.pointer.unwrap_or_default())).collect()
}

fn one(rule: &str, pointer: &str) -> Vec<(String, String)> {
    vec![(rule.to_owned(), pointer.to_owned())]
}

#[test]
fn a_template_makes_headers_of_what_has_accounts_below() {
    let chart = chart();
    assert_eq!(chart.accounts[&code("11")].kind, AccountKind::Header);
    assert_eq!(chart.accounts[&code("1101")].kind, AccountKind::Posting);
    assert_eq!(chart.account_of("receivable"), Ok(&code("1102")));
    assert_eq!(findings(chart.account_of("payable")), one("account-role-unassigned", ""));
}

#[test]
fn a_template_that_is_no_chart_is_told() {
    for (change, told) in [
        (row("1", "asset", None, None), "account 1: it is there twice"),
        (row("9", "thing", None, None), "account 9: a class that is none"),
        (row("9 9", "asset", None, None), "account 9 9: an account's code has 1 to 32"),
        (row("9", "asset", Some("2"), None), "account 9: no account of its class above it"),
        (row("9", "asset", Some("77"), None), "account 9: no account of its class above it"),
        (row("9", "asset", Some("9"), None), "account 9: no account of its class above it"),
        (row("9", "asset", None, Some("bank")), "account 9: a role that another has"),
        (row("9", "asset", None, Some("Bank")), "account 9: a role has 1 to 64"),
        (AccountTemplate { name: " ".to_owned(), ..row("9", "asset", None, None) }, "account 9: a name"),
    ] {
        let mut rows = template();
        rows.push(change);
        let found = accounts_of_template(&rows).unwrap_err();
        assert!(found.starts_with(told), "{found}");
    }
}

#[test]
fn a_chart_is_created_once_and_not_of_nothing() {
    let create =
        |accounts| ChartCommand::Create(CreateChart { accounts, decision: decision("chart-of-accounts") });
    let accounts = accounts_of_template(&template()).unwrap();
    assert_eq!(Chart::decide(None, create(accounts.clone())).unwrap().len(), 1);
    assert_eq!(Chart::decide(Some(&chart()), create(accounts)), Err(Rejection::ChartExists));
    assert_eq!(Chart::decide(None, create(Vec::new())), Err(Rejection::ChartNotOffered));
}

#[test]
fn an_account_is_added_below_an_active_header_of_its_class() {
    use AccountClass::{Asset, Income};
    let given = chart();
    let then = when(&given, add("1104", Asset, Some("11"), Some("cash"))).unwrap();
    assert_eq!(then.account_of("cash"), Ok(&code("1104")));
    assert_eq!(when(&given, add("1101", Asset, Some("11"), None)), Err(Rejection::AccountExists));
    for (parent, class, rule) in [
        ("77", Asset, "account-unknown"),
        ("1101", Asset, "account-parent-not-header"),
        ("11", Income, "account-class-differs"),
    ] {
        assert_eq!(findings(when(&given, add("1104", class, Some(parent), None))), one(rule, "/parent"));
    }
    let taken = when(&given, add("1104", Asset, Some("11"), Some("bank")));
    assert_eq!(findings(taken), one("account-role-taken", "/role"));
    // The first account of a tenant whose pack proposes none.
    assert_eq!(Chart::decide(None, add("1", Asset, None, None)).unwrap().len(), 1);
}

#[test]
fn a_move_makes_no_circle_and_keeps_the_class() {
    let given = chart();
    let then = when(&given, move_to("1101", Some("1"))).unwrap();
    assert_eq!(then.accounts[&code("1101")].parent, Some(code("1")));
    assert_eq!(when(&then, move_to("1101", None)).unwrap().accounts[&code("1101")].parent, None);
    assert_eq!(findings(when(&given, move_to("1", Some("11")))), one("account-parent-below", "/parent"));
    assert_eq!(findings(when(&given, move_to("11", Some("11")))), one("account-parent-below", "/parent"));
    assert_eq!(findings(when(&given, move_to("1101", Some("2")))), one("account-class-differs", "/parent"));
    assert_eq!(when(&given, move_to("77", None)), Err(Rejection::AccountMissing));
}

#[test]
fn what_stays_the_same_makes_no_event() {
    let given = chart();
    let rename = ChartCommand::Rename(RenameAccount { code: code("11"), name: "Account 11".to_owned() });
    for command in [rename, move_to("11", Some("1")), assign("bank", "1101")] {
        assert_eq!(Chart::decide(Some(&given), command), Ok(Vec::new()));
    }
}

#[test]
fn an_account_that_something_needs_is_not_deactivated() {
    let given = chart();
    assert!(matches!(when(&given, deactivate("1101")), Err(Rejection::AccountInUse(_))));
    assert!(matches!(when(&given, deactivate("11")), Err(Rejection::AccountInUse(_))));
    let moved = when(&given, assign("bank", "1103")).unwrap();
    let then = when(&moved, deactivate("1101")).unwrap();
    assert_eq!(then.check_posting("1101", "/x").unwrap().code, "account-inactive");
    assert_eq!(Chart::decide(Some(&then), deactivate("1101")), Ok(Vec::new()));
    let again = ChartCommand::Reactivate(ReactivateAccount { code: code("1101") });
    assert_eq!(when(&then, again).unwrap().check_posting("1101", "/x"), None);
}

#[test]
fn a_role_goes_to_an_active_posting_account() {
    let given = chart();
    assert_eq!(findings(when(&given, assign("bank", "11"))), one("account-not-posting", "/account"));
    assert_eq!(findings(when(&given, assign("bank", "77"))), one("account-unknown", "/account"));
    let inactive = when(&given, deactivate("1103")).unwrap();
    assert_eq!(findings(when(&inactive, assign("bank", "1103"))), one("account-inactive", "/account"));
}

#[test]
fn an_event_of_an_account_that_is_not_there_is_an_error() {
    let event = ChartEvent::Deactivated(AccountDeactivated { code: code("77") });
    assert!(Chart::evolve(Some(chart()), event.clone()).is_err());
    assert!(Chart::evolve(None, event).is_err());
}
