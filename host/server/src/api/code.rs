//! The codes of problems: each with the one status that it comes with, and when it comes.
//!
//! A finding of a document's rules has a code of its own, from the domain or from the pack that found it.

use axum::http::StatusCode;

macro_rules! codes {
    ($($(#[doc = $when:literal])+ $code:ident = $text:literal, $status:ident;)+) => {
        /// What went wrong. Stable: clients match on its text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($(#[doc = $when])+ $code,)+
        }

        impl Code {
            /// All of them, by status.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$code),+];

            /// Its text.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $text,)+ }
            }

            /// The status of the response.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)+ }
            }

            /// When it comes.
            pub(crate) const fn when(self) -> &'static str {
                match self { $(Self::$code => concat!($($when),+),)+ }
            }
        }
    };
}

codes! {
    /// The body breaks off before its end.
    BodyUnreadable = "body-unreadable", BAD_REQUEST;
    /// The body is no JSON, or is nested too deep.
    JsonMalformed = "json-malformed", BAD_REQUEST;
    /// The Idempotency-Key does not have 1 to 255 printable ASCII characters.
    IdempotencyKeyInvalid = "idempotency-key-invalid", BAD_REQUEST;
    /// The path has a percent escape that does not read.
    PathInvalid = "path-invalid", BAD_REQUEST;
    /// Niyam-Position is no whole number.
    PositionInvalid = "position-invalid", BAD_REQUEST;
    /// A header that says what the request does, or for whom, is there more than once.
    HeaderRepeated = "header-repeated", BAD_REQUEST;

    /// There is no bearer token.
    TokenMissing = "token-missing", UNAUTHORIZED;
    /// The token is not one that this server signed, for it, with a tenant and roles.
    TokenInvalid = "token-invalid", UNAUTHORIZED;
    /// The token's time is over.
    TokenExpired = "token-expired", UNAUTHORIZED;
    /// The token's time has not come.
    TokenNotYetValid = "token-not-yet-valid", UNAUTHORIZED;

    /// The user holds none of the roles that may do this.
    RoleMissing = "role-missing", FORBIDDEN;
    /// The token's tenant does not exist.
    TenantUnknown = "tenant-unknown", FORBIDDEN;

    /// There is nothing under this path.
    RouteUnknown = "route-unknown", NOT_FOUND;
    /// The tenant has no such invoice.
    InvoiceNotFound = "invoice-not-found", NOT_FOUND;
    /// The tenant has no such job.
    JobNotFound = "job-not-found", NOT_FOUND;
    /// Nothing was ever recorded about such a data subject.
    DataSubjectNotFound = "data-subject-not-found", NOT_FOUND;
    /// The pack has no such paper for the invoice.
    FormNotFound = "form-not-found", NOT_FOUND;
    /// The return shows no amount of that name.
    FigureNotFound = "figure-not-found", NOT_FOUND;
    /// The tenant has no activation of that number.
    ActivationNotFound = "activation-not-found", NOT_FOUND;
    /// The tenant has no such module: upload it first.
    ModuleNotFound = "module-not-found", NOT_FOUND;
    /// The chart of accounts has no such account.
    AccountNotFound = "account-not-found", NOT_FOUND;
    /// No fiscal period of that code was opened.
    FiscalPeriodNotFound = "fiscal-period-not-found", NOT_FOUND;
    /// No fiscal year of that name was opened.
    FiscalYearNotFound = "fiscal-year-not-found", NOT_FOUND;
    /// No such return was prepared for the period.
    TaxReturnNotFound = "tax-return-not-found", NOT_FOUND;
    /// The tenant has no such bank statement.
    BankStatementNotFound = "bank-statement-not-found", NOT_FOUND;
    /// The tenant has no such schedule.
    ScheduleNotFound = "schedule-not-found", NOT_FOUND;
    /// The tenant has no such journal entry.
    JournalEntryNotFound = "journal-entry-not-found", NOT_FOUND;
    /// The tenant has no such payment.
    PaymentNotFound = "payment-not-found", NOT_FOUND;
    /// There is no such report.
    ReportNotFound = "report-not-found", NOT_FOUND;
    /// The tenant has no document of that id, or nothing of it counts by those days.
    DocumentNotFound = "document-not-found", NOT_FOUND;
    /// The path does not offer this method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED;
    /// What Accept wants is not offered.
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE;

    /// The invoice is in a state that does not allow this.
    InvoiceStatusConflict = "invoice-status-conflict", CONFLICT;
    /// The customer's data were erased: a draft needs another customer first.
    DataSubjectErased = "data-subject-erased", CONFLICT;
    /// Only an issued invoice has papers.
    InvoiceNotIssued = "invoice-not-issued", CONFLICT;
    /// The document is a note, which stands as it is: notes, and what is written off, are against the invoice.
    NoteOfNote = "note-of-note", CONFLICT;
    /// A part of the invoice was written off, so it cannot be credited.
    InvoiceWrittenOff = "invoice-written-off", CONFLICT;
    /// Nothing of the invoice is left to be credited.
    NothingToCredit = "nothing-to-credit", CONFLICT;
    /// Nothing of the invoice is open.
    NothingOutstanding = "nothing-outstanding", CONFLICT;
    /// More would be settled of an invoice than is open.
    SettlementExceedsOutstanding = "settlement-exceeds-outstanding", CONFLICT;
    /// The payment settled nothing of the invoice.
    SettlementNotFound = "settlement-not-found", CONFLICT;
    /// More would be taken back than the payment settled of the invoice.
    ReversalExceedsSettled = "reversal-exceeds-settled", CONFLICT;
    /// The taxes are no longer those that were approved.
    TaxesChanged = "taxes-changed", CONFLICT;
    /// The activation was withdrawn already.
    ActivationWithdrawn = "activation-withdrawn", CONFLICT;
    /// It is the tenant's only compliance pack: activate another one first.
    ActivationNeeded = "activation-needed", CONFLICT;
    /// The module is not compiled yet: ask for its state, and try again when it is `ready`.
    ModuleNotReady = "module-not-ready", CONFLICT;
    /// The tenant has as many modules as it may.
    ModuleLimitReached = "module-limit-reached", CONFLICT;
    /// A policy of the tenant wants somebody's approval first; `module` names it.
    ApprovalRequired = "approval-required", CONFLICT;
    /// There is a tenant of that name.
    TenantExists = "tenant-exists", CONFLICT;
    /// The tenant has a chart of accounts.
    ChartExists = "chart-exists", CONFLICT;
    /// The tenant has no chart of accounts yet.
    ChartMissing = "chart-missing", CONFLICT;
    /// The compliance pack proposes no accounts; add them one by one.
    ChartNotOffered = "chart-not-offered", CONFLICT;
    /// There is an account of that code.
    AccountExists = "account-exists", CONFLICT;
    /// A role or an account below still needs the account.
    AccountInUse = "account-in-use", CONFLICT;
    /// The fiscal year, or a part of it, was opened.
    FiscalYearExists = "fiscal-year-exists", CONFLICT;
    /// The fiscal period is in a state that does not allow this.
    FiscalPeriodStatusConflict = "fiscal-period-status-conflict", CONFLICT;
    /// The fiscal year is in a state that does not allow this.
    FiscalYearStatusConflict = "fiscal-year-status-conflict", CONFLICT;
    /// Periods of the fiscal year are still open: close or soft-close them first.
    FiscalYearPeriodsOpen = "fiscal-year-periods-open", CONFLICT;
    /// Fiscal years are closed in order, and reopened in the other order.
    FiscalYearOrder = "fiscal-year-order", CONFLICT;
    /// The journal entry is in a state that does not allow this.
    JournalEntryStatusConflict = "journal-entry-status-conflict", CONFLICT;
    /// The journal entry takes back another one, and cannot be taken back itself.
    ReversalOfReversal = "reversal-of-reversal", CONFLICT;
    /// The journal entry belongs to a document, which alone can take it back.
    JournalEntryOfDocument = "journal-entry-of-document", CONFLICT;
    /// The bank statement was imported already, from whatever file.
    BankStatementExists = "bank-statement-exists", CONFLICT;
    /// The statement's line is matched: undo that first.
    StatementLineMatched = "statement-line-matched", CONFLICT;
    /// The statement's line is not matched.
    StatementLineUnmatched = "statement-line-unmatched", CONFLICT;
    /// A line of the books is matched with another line of a statement.
    LedgerLineMatched = "ledger-line-matched", CONFLICT;
    /// The schedule has ended, and changes no more.
    ScheduleEnded = "schedule-ended", CONFLICT;
    /// The payment is in a state that does not allow this.
    PaymentStatusConflict = "payment-status-conflict", CONFLICT;
    /// The payment has no cheque, or its cheque is in a state that does not allow this.
    ChequeStatusConflict = "cheque-status-conflict", CONFLICT;
    /// The return is in another state than the command needs.
    TaxReturnStatusConflict = "tax-return-status-conflict", CONFLICT;
    /// A correction would say what was filed already.
    TaxReturnUnchanged = "tax-return-unchanged", CONFLICT;
    /// Documents of the period were issued since the return was prepared, or it says another day: prepare it again.
    TaxReturnOutdated = "tax-return-outdated", CONFLICT;

    /// If-Match is not the version that stands.
    VersionMismatch = "version-mismatch", PRECONDITION_FAILED;
    /// The body has more than 1 MiB; that of an import more than 32 MiB.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE;
    /// A module is sent as application/wasm, rows of an import as text/csv or application/x-ndjson.
    MediaTypeWrong = "media-type-wrong", UNSUPPORTED_MEDIA_TYPE;
    /// A change of something that exists came without If-Match.
    IfMatchMissing = "if-match-missing", PRECONDITION_REQUIRED;

    /// The body has a field that is not known there.
    FieldUnknown = "field-unknown", UNPROCESSABLE_ENTITY;
    /// The body lacks a field.
    FieldMissing = "field-missing", UNPROCESSABLE_ENTITY;
    /// The body has a field twice.
    FieldDuplicate = "field-duplicate", UNPROCESSABLE_ENTITY;
    /// A value is of another JSON type than is wanted.
    TypeWrong = "type-wrong", UNPROCESSABLE_ENTITY;
    /// A value is none of those that are known.
    ValueInvalid = "value-invalid", UNPROCESSABLE_ENTITY;
    /// A decimal is not written as digits with at most one point.
    DecimalInvalid = "decimal-invalid", UNPROCESSABLE_ENTITY;
    /// A number has too many digits.
    NumberOutOfRange = "number-out-of-range", UNPROCESSABLE_ENTITY;
    /// A date does not exist, or is not written YYYY-MM-DD.
    DateInvalid = "date-invalid", UNPROCESSABLE_ENTITY;
    /// A text is too long.
    TextTooLong = "text-too-long", UNPROCESSABLE_ENTITY;
    /// The body is no CSV, or a row of it has more or fewer cells than there are columns.
    CsvMalformed = "csv-malformed", UNPROCESSABLE_ENTITY;
    /// The header of CSV names a column that is not known.
    ColumnUnknown = "column-unknown", UNPROCESSABLE_ENTITY;
    /// An import has more rows than one call may.
    RowsTooMany = "rows-too-many", UNPROCESSABLE_ENTITY;
    /// A parameter of the query is unknown or wrong.
    QueryInvalid = "query-invalid", UNPROCESSABLE_ENTITY;
    /// The report does not take this parameter.
    ParameterUnknown = "parameter-unknown", UNPROCESSABLE_ENTITY;
    /// The report cannot do without this parameter.
    ParameterMissing = "parameter-missing", UNPROCESSABLE_ENTITY;
    /// A moment is not written as 2026-08-15T06:00:00Z.
    TimestampInvalid = "timestamp-invalid", UNPROCESSABLE_ENTITY;
    /// The first day of a report comes after its last.
    DatesReversed = "dates-reversed", UNPROCESSABLE_ENTITY;
    /// A report is of what was recorded, and its `known_at` lies in the future.
    KnownAtInFuture = "known-at-in-future", UNPROCESSABLE_ENTITY;
    /// The document breaks several rules: each finding says which, and where. A single rule's code comes instead.
    DocumentInvalid = "document-invalid", UNPROCESSABLE_ENTITY;
    /// The document and its taxes are more than one event may hold.
    DocumentTooLarge = "document-too-large", UNPROCESSABLE_ENTITY;
    /// The paper has more than can be drawn: ask for its JSON.
    FormTooLarge = "form-too-large", UNPROCESSABLE_ENTITY;
    /// The paper's columns, titles or heads have no room on a page: ask for its JSON or page.
    FormNotPrintable = "form-not-printable", UNPROCESSABLE_ENTITY;
    /// There is no component with that digest, or it does not say what tax a document bears.
    CandidateUnknown = "candidate-unknown", UNPROCESSABLE_ENTITY;
    /// The configuration does not fit the module's schema.
    ConfigInvalid = "config-invalid", UNPROCESSABLE_ENTITY;
    /// No compliance pack is active on that date.
    NoActivePack = "no-active-pack", UNPROCESSABLE_ENTITY;
    /// Niyam-Signature is not `<key id>:<base64 of 64 bytes>`.
    SignatureMalformed = "signature-malformed", UNPROCESSABLE_ENTITY;
    /// The module is not signed: sign it with `niyam module sign`, or let the operator allow unsigned modules.
    SignatureMissing = "signature-missing", UNPROCESSABLE_ENTITY;
    /// The signature is not one of that key for this component: sign what is uploaded, after the last build.
    SignatureInvalid = "signature-invalid", UNPROCESSABLE_ENTITY;
    /// The server knows no such key: the operator adds it with `niyam publisher add`.
    PublisherUnknown = "publisher-unknown", UNPROCESSABLE_ENTITY;
    /// The key was revoked: sign with another one that the operator trusts.
    PublisherRevoked = "publisher-revoked", UNPROCESSABLE_ENTITY;
    /// Not as many publishers as the tenant's module policy wants, of those that it accepts, signed the module.
    ModuleNotAccepted = "module-not-accepted", UNPROCESSABLE_ENTITY;
    /// The module failed when it was tried: its state says at what.
    ModuleRefused = "module-refused", UNPROCESSABLE_ENTITY;
    /// Nothing asks modules of this world yet.
    WorldNotOffered = "world-not-offered", UNPROCESSABLE_ENTITY;
    /// The component has more than 32 MiB: leave out what it does not need.
    ComponentTooLarge = "component-too-large", UNPROCESSABLE_ENTITY;
    /// The bytes are no component, or one that breaks off: upload what `niyam module build` wrote.
    ComponentMalformed = "component-malformed", UNPROCESSABLE_ENTITY;
    /// The component imports more than the contract offers: a module has no files, network, clock or randomness.
    ImportNotAllowed = "import-not-allowed", UNPROCESSABLE_ENTITY;
    /// The component has a start function: code runs when it is called, and not before.
    StartFunctionNotAllowed = "start-function-not-allowed", UNPROCESSABLE_ENTITY;
    /// The component uses a feature of WebAssembly that is not deterministic or not taken: build it without.
    WasmFeatureNotAllowed = "wasm-feature-not-allowed", UNPROCESSABLE_ENTITY;
    /// The component has more core instances than allowed.
    TooManyCoreInstances = "too-many-core-instances", UNPROCESSABLE_ENTITY;
    /// The component begins with more memory, tables or memories than allowed: build it with less.
    ComponentLimitExceeded = "component-limit-exceeded", UNPROCESSABLE_ENTITY;
    /// The component is valid, but more than the compiler takes: make its functions smaller.
    ComponentNotCompilable = "component-not-compilable", UNPROCESSABLE_ENTITY;
    /// The component exports no world of this contract whole: build it against this version of the contract.
    WorldMissing = "world-missing", UNPROCESSABLE_ENTITY;
    /// The component was built against a version of the contract that this server does not speak: build it with this
    /// version's SDK.
    ContractUnknown = "contract-unknown", UNPROCESSABLE_ENTITY;
    /// What the module says of itself breaks a rule: its id, version, or the schema of its configuration.
    ManifestInvalid = "manifest-invalid", UNPROCESSABLE_ENTITY;
    /// A policy of the tenant denies it: `module` names the policy, `errors` has what it found.
    PolicyDenied = "policy-denied", UNPROCESSABLE_ENTITY;
    /// The Idempotency-Key was used for another request.
    IdempotencyKeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY;

    /// The tenant has as many verifications and simulations under way as it may.
    JobsTooMany = "jobs-too-many", TOO_MANY_REQUESTS;

    /// A defect of the server; the log has the request under its trace id.
    InternalError = "internal-error", INTERNAL_SERVER_ERROR;

    /// The disk takes no more, and nothing was recorded.
    StorageFull = "storage-full", INSUFFICIENT_STORAGE;

    /// The request took too long.
    RequestTimeout = "request-timeout", SERVICE_UNAVAILABLE;
    /// The list does not hold the position that Niyam-Position names yet.
    ViewBehind = "view-behind", SERVICE_UNAVAILABLE;
    /// Too many requests wait.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE;
    /// The database is not to be had.
    DatabaseUnavailable = "database-unavailable", SERVICE_UNAVAILABLE;
    /// The database broke off while it committed: ask again with the same Idempotency-Key.
    OutcomeUnknown = "outcome-unknown", SERVICE_UNAVAILABLE;
    /// Too many calls of modules wait for their turn.
    ModulesBusy = "modules-busy", SERVICE_UNAVAILABLE;
    /// Too many papers wait to be drawn: try again.
    PapersBusy = "papers-busy", SERVICE_UNAVAILABLE;
    /// The module cannot be loaded.
    ModuleUnavailable = "module-unavailable", SERVICE_UNAVAILABLE;
    /// The module stopped by itself.
    ModuleTrapped = "module-trapped", SERVICE_UNAVAILABLE;
    /// The module used up its fuel.
    ModuleFuelExhausted = "module-fuel-exhausted", SERVICE_UNAVAILABLE;
    /// The module ran past its deadline.
    ModuleDeadlineExceeded = "module-deadline-exceeded", SERVICE_UNAVAILABLE;
    /// The module wanted more memory than it may have.
    ModuleMemoryExhausted = "module-memory-exhausted", SERVICE_UNAVAILABLE;
    /// The module ran out of stack.
    ModuleStackExhausted = "module-stack-exhausted", SERVICE_UNAVAILABLE;
    /// The module answered more than it may.
    ModuleOutputTooLarge = "module-output-too-large", SERVICE_UNAVAILABLE;
    /// The module's answer breaks the contract.
    ModuleOutputInvalid = "module-output-invalid", SERVICE_UNAVAILABLE;
    /// The pack's calendar gives no whole fiscal year.
    CalendarBroken = "calendar-broken", SERVICE_UNAVAILABLE;
    /// The module does not offer what was asked of it.
    ModuleFunctionNotOffered = "module-function-not-offered", SERVICE_UNAVAILABLE;
    /// All instances of modules are in use.
    ModuleBusy = "module-busy", SERVICE_UNAVAILABLE;
}

impl Code {
    /// The code with this text.
    pub(crate) fn find(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use niyam_domain::{EntryStatus, InvoiceStatus, ModuleRef, PeriodStatus, Rejection, YearStatus};
    use niyam_modules::ModuleFailure;

    use super::Code;

    #[test]
    fn a_code_is_kebab_case_and_there_once() {
        let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for text in texts {
            let parts: Vec<&str> = text.split('-').collect();
            let lower = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
            assert!(parts.iter().all(lower), "{text}");
        }
    }

    #[test]
    fn every_rejection_has_a_code() {
        let rejections = [
            Rejection::Findings(Vec::new()),
            Rejection::WrongStatus { found: InvoiceStatus::Issued, needed: "a draft" },
            Rejection::InvoiceMissing,
            Rejection::TaxesChanged,
            Rejection::DataSubjectErased,
            Rejection::NoteOfNote,
            Rejection::InvoiceWrittenOff,
            Rejection::NothingToCredit,
            Rejection::NothingOutstanding,
            Rejection::SettlementExceedsOutstanding { outstanding: niyam_values::Decimal::ONE },
            Rejection::SettlementMissing,
            Rejection::ReversalExceedsSettled { settled: niyam_values::Decimal::ONE },
            Rejection::DataSubjectMissing,
            Rejection::TenantExists,
            Rejection::NoActivePack,
            Rejection::ActivationMissing,
            Rejection::ActivationWithdrawn,
            Rejection::LastPack,
            Rejection::ChartExists,
            Rejection::ChartMissing,
            Rejection::ChartNotOffered,
            Rejection::AccountMissing,
            Rejection::AccountExists,
            Rejection::AccountInUse(String::new()),
            Rejection::PeriodMissing,
            Rejection::FiscalYearExists,
            Rejection::CalendarBroken,
            Rejection::WrongPeriodStatus { found: PeriodStatus::Closed, needed: "open" },
            Rejection::FiscalYearMissing,
            Rejection::FiscalYearPeriodsOpen(String::new()),
            Rejection::FiscalYearOrder(String::new()),
            Rejection::WrongYearStatus { found: YearStatus::Closed, needed: "open" },
            Rejection::EntryMissing,
            Rejection::WrongEntryStatus { found: EntryStatus::Posted, needed: "a draft" },
            Rejection::ReversalOfReversal,
            Rejection::EntryOfDocument,
            Rejection::StatementMissing,
            Rejection::StatementExists,
            Rejection::StatementLineMatched(0),
            Rejection::StatementLineUnmatched(0),
            Rejection::LedgerLineMatched(String::new()),
            Rejection::ScheduleMissing,
            Rejection::ScheduleEnded,
        ];
        for rejection in rejections {
            assert!(Code::find(rejection.code()).is_some(), "{rejection:?}");
        }
    }

    #[test]
    fn every_failure_of_a_module_has_a_code() {
        let module = || ModuleRef { id: "m".to_owned(), version: "1".to_owned(), digest: String::new() };
        let failures = [
            ModuleFailure::Trapped { module: module(), reason: String::new() },
            ModuleFailure::FuelExhausted { module: module() },
            ModuleFailure::DeadlineExceeded { module: module() },
            ModuleFailure::MemoryExhausted { module: module() },
            ModuleFailure::StackExhausted { module: module() },
            ModuleFailure::OutputTooLarge { module: module() },
            ModuleFailure::OutputInvalid { module: module(), reason: String::new() },
            ModuleFailure::NotOffered { module: module(), function: "determine" },
            ModuleFailure::Busy { module: module() },
        ];
        for failure in failures {
            let code = Code::find(failure.code()).map(Code::status);
            assert_eq!(code, Some(axum::http::StatusCode::SERVICE_UNAVAILABLE), "{failure}");
        }
    }
}
