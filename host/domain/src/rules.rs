//! The rules of the books: the code of a finding, and what is wanted.

/// What accounts, periods and entries must hold.
pub const BOOKS_RULES: &[(&str, &str)] = &[
    ("account-unknown", "An account is in the chart of accounts."),
    ("account-inactive", "An account that is posted to, or that others stand below, is active."),
    ("account-not-posting", "A posting goes to a posting account, not to a header."),
    ("account-parent-not-header", "Accounts stand below headers."),
    ("account-parent-below", "An account does not stand below itself."),
    ("account-class-differs", "An account is of the class of the header above it."),
    ("account-role-taken", "A role has one account."),
    ("account-role-unassigned", "The chart has an account of each role that a document is posted by."),
    ("accounts-too-many", "A chart has at most 2000 accounts."),
    ("entry-lines-count", "A journal entry has 2 to 500 lines."),
    ("entry-side-unclear", "A line is either a debit or a credit."),
    ("entry-unbalanced", "Debits equal credits in each currency."),
    ("amount-not-positive", "An amount of a line is above zero."),
    ("amount-too-precise", "An amount has no more decimal places than its currency."),
    (
        "dimension-invalid",
        "A line has at most 20 dimensions, named by letters, digits, hyphens and underscores.",
    ),
    ("period-closed", "Nothing is posted for a day of a closed period."),
    ("period-soft-closed", "Only an approver posts for a day of a soft-closed period."),
    ("fiscal-year-closed", "Nothing is posted for a day on or before the end of a closed fiscal year."),
    ("retained-earnings-not-equity", "The account of the role retained-earnings is one of equity."),
    ("period-not-over", "A return is filed when its period is over."),
    ("opening-balances-invalid", "A balance is brought into a period once, and at most 200 are."),
    ("reversal-before-entry", "A reversal counts for the day of its entry, or a later one."),
];
