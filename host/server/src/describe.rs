//! What the program is, for those who write against it: generated from the code, committed, and compared by a test.

use std::fmt::Write as _;

use clap::ValueEnum;
use niyam_domain::{
    BANK_RULES, BOOKS_RULES, CertificateEvent, ChartEvent, ClaimEvent, DOCUMENT_RULES, DataSubjectEvent,
    EXAMPLES, EntryEvent, EventKind, InvoiceEvent, NumberSeriesEvent, PaymentEvent, PeriodEvent, ReturnEvent,
    SCHEDULE_RULES, ScheduleEvent, StatementEvent, SupplierNumberEvent, TenantEvent,
};

use crate::api::code::Code;
use crate::commands::RULES;
use crate::{api, cli};

/// A generated description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reference {
    /// The API: OpenAPI 3.1, as served at `/openapi.json`.
    Openapi,
    /// The command line: the help of every command.
    Cli,
    /// The events: every type with an example.
    Events,
    /// The problems: every code with its status.
    Problems,
}

impl Reference {
    /// The description.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Openapi => api::openapi::document(),
            Self::Cli => commands(),
            Self::Events => events(),
            Self::Problems => problems(),
        }
    }
}

const GENERATED: &str = "Written by `cargo xtask generate`.";

fn commands() -> String {
    let mut text = format!("# The command line\n\n{GENERATED}\n");
    let mut niyam = cli::command();
    niyam.build();
    command(&mut text, &mut niyam);
    text
}

fn command(text: &mut String, command: &mut clap::Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    add(text, format_args!("\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
    for below in
        command.get_subcommands_mut().filter(|below| below.get_name() != "help" && !below.is_hide_set())
    {
        self::command(text, below);
    }
}

fn events() -> String {
    let mut text = format!(
        "# The events\n\n{GENERATED} The last part of a type is the version of its shape; a type is never reused or \
         renamed. Beside its payload, an event keeps who caused it (`user`, `roles`, `trace_id`) and, where there are some, \
         `policies`: the rulings of the tenant's policies, with the day that they were told; and `fallbacks`: modules that \
         failed, and that an earlier activation answered for.\n"
    );
    for (aggregate, kinds) in [
        ("Tenants", TenantEvent::KINDS),
        ("Invoices", InvoiceEvent::KINDS),
        ("Number series", NumberSeriesEvent::KINDS),
        ("Suppliers' numbers", SupplierNumberEvent::KINDS),
        ("Chart of accounts", ChartEvent::KINDS),
        ("Fiscal periods", PeriodEvent::KINDS),
        ("Journal entries", EntryEvent::KINDS),
        ("Schedules", ScheduleEvent::KINDS),
        ("Bank statements", StatementEvent::KINDS),
        ("Lines of the books on bank statements", ClaimEvent::KINDS),
        ("Payments", PaymentEvent::KINDS),
        ("Certificates of withheld tax", CertificateEvent::KINDS),
        ("Tax returns", ReturnEvent::KINDS),
        ("Data subjects", DataSubjectEvent::KINDS),
    ] {
        add(&mut text, format_args!("\n## {aggregate}\n"));
        for EventKind { event_type, meaning } in kinds {
            let example =
                EXAMPLES.iter().find(|(name, _)| name == event_type).map_or("", |(_, example)| example);
            let (meaning, example) = (meaning.trim(), example.trim());
            add(&mut text, format_args!("\n### `{event_type}`\n\n{meaning}\n\n```json\n{example}\n```\n"));
        }
    }
    text
}

fn problems() -> String {
    let mut text = format!(
        "# The problems\n\n{GENERATED} Each comes as `application/problem+json` with its `code`.\n\n\
         | status | code | when |\n|---|---|---|\n"
    );
    for code in Code::ALL {
        let (status, name, when) = (code.status().as_u16(), code.as_str(), code.when().trim());
        add(&mut text, format_args!("| {status} | `{name}` | {when} |\n"));
    }
    text.push_str(
        "\n## Rules of documents and of the books\n\nStatus 422. Where one rule is broken, the problem has the rule's own code; \
         where several are, it is `document-invalid`, and `errors` has them all. The rules of a country's law come \
         from its pack, whose README lists them.\n\n| code | what is wanted |\n|---|---|\n",
    );
    for (code, wanted) in
        DOCUMENT_RULES.iter().chain(BOOKS_RULES).chain(SCHEDULE_RULES).chain(BANK_RULES).chain(RULES)
    {
        add(&mut text, format_args!("| `{code}` | {wanted} |\n"));
    }
    text
}

fn add(text: &mut String, part: std::fmt::Arguments) {
    text.write_fmt(part).expect("a text takes all that is written to it");
}
