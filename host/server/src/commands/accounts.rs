//! The chart of accounts: begin it, add, rename, move, deactivate, assign roles.

use niyam_domain::{
    Account, AccountCode, AccountKind, AddAccount, Chart, ChartCommand, CreateChart, MoveAccount, NewAccount,
    Rejection, RenameAccount, StreamId, Version, accounts_of_template,
};
use niyam_modules::Module;
use niyam_store::{Append, Batch, Idempotency};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::commands::books::{At, TRIES};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::tax::pack_on;
use crate::commands::{Actor, CommandError, Expected};
use crate::tenants::TenantAt;

impl App {
    /// Begins the chart with what today's pack proposes.
    pub(crate) async fn create_chart(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let at = self.tenant(&actor.tenant).await?;
            if self.chart(&actor.tenant).await?.is_some() {
                return Err(Rejection::ChartExists.into());
            }
            let activation = pack_on(&at, self.now_at(&at).date())?.clone();
            let decided = self.packs.call(&actor.tenant, &activation, Module::chart_of_accounts).await?;
            let accounts = accounts_of_template(&decided.answer).map_err(CommandError::Defect)?;
            let command = ChartCommand::Create(CreateChart { accounts, decision: decided.decision });
            let answer = |chart: &Chart, version: Version| {
                let location = Some("/v1/accounts".to_owned());
                Answer::new(201, location, version, &ChartView::new(chart, version))
            };
            match self.record_chart(actor, key.clone(), &at, None, vec![command], answer).await {
                Err(CommandError::Stale { .. }) => Err(Rejection::ChartExists.into()),
                done => done,
            }
        })
        .await
    }

    /// Adds an account, if the pack allows its code.
    pub(crate) async fn add_account(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        account: NewAccount,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let at = self.tenant(&actor.tenant).await?;
            let activation = pack_on(&at, self.now_at(&at).date())?.clone();
            let code = account.code.clone();
            let asked = code.clone();
            let decided = self
                .packs
                .call(&actor.tenant, &activation, move |module, config| {
                    module.check_account_code(config, asked.as_str())
                })
                .await?;
            decided.answer.map_err(Rejection::Findings)?;
            let mut tries = 0;
            loop {
                let before = self.chart(&actor.tenant).await?;
                let add = AddAccount { account: account.clone(), decision: decided.decision.clone() };
                let answer = |chart: &Chart, version: Version| account_answer(201, chart, &code, version);
                let commands = vec![ChartCommand::Add(add)];
                match self.record_chart(actor, key.clone(), &at, before, commands, answer).await {
                    // Another account came first.
                    Err(CommandError::Stale { .. }) if tries < TRIES => tries += 1,
                    done => return done,
                }
            }
        })
        .await
    }

    /// Gives an account its name and the header above it.
    pub(crate) async fn change_account(
        &self,
        actor: &Actor,
        expected: Expected,
        code: AccountCode,
        name: String,
        parent: Option<AccountCode>,
    ) -> Result<Committed, CommandError> {
        let rename = ChartCommand::Rename(RenameAccount { code: code.clone(), name });
        let to = ChartCommand::Move(MoveAccount { code: code.clone(), parent });
        self.change_chart(actor, None, expected, code, vec![rename, to]).await
    }

    /// Does to the chart that the client saw what `commands` ask; answers with the account.
    pub(crate) async fn change_chart(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        expected: Expected,
        code: AccountCode,
        commands: Vec<ChartCommand>,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let at = self.tenant(&actor.tenant).await?;
            let before = self.chart(&actor.tenant).await?.ok_or(Rejection::AccountMissing)?;
            before.expect(expected, &StreamId::chart())?;
            let answer = |chart: &Chart, version: Version| account_answer(200, chart, &code, version);
            self.record_chart(actor, key.clone(), &at, Some(before), commands, answer).await
        })
        .await
    }

    async fn record_chart(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        at: &TenantAt,
        before: Option<At<Chart>>,
        commands: Vec<ChartCommand>,
        answer: impl Fn(&Chart, Version) -> Result<Answer, serde_json::Error>,
    ) -> Result<Committed, CommandError> {
        let mut events = Vec::new();
        let mut state = before.as_ref().map(|before| before.state.clone());
        for command in commands {
            for event in Chart::decide(state.as_ref(), command)? {
                state = Some(niyam_domain::Aggregate::evolve(state, event.clone())?);
                events.push(event);
            }
        }
        let today = self.now_at(at).date();
        let told = self.tell(actor, StreamId::chart(), before, events, today)?;
        let answer = answer(&told.state, told.version)?.to_bytes()?;
        let mut append = Append::of(Batch { writes: told.write.into_iter().collect(), answer });
        append.idempotency = key;
        self.store.append(&actor.tenant, append).await?.try_into()
    }
}

fn account_answer(
    status: u16,
    chart: &Chart,
    code: &AccountCode,
    version: Version,
) -> Result<Answer, serde_json::Error> {
    let location = (status == 201).then(|| format!("/v1/accounts/{code}"));
    let view = chart.accounts.get(code).map(|account| AccountView::new(chart, code, account));
    Answer::new(status, location, version, &view)
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    #[schema(value_type = String, example = "1210")]
    code: AccountCode,
    name: String,
    /// `asset`, `liability`, `equity`, `income` or `expense`.
    class: &'static str,
    /// The header above it; absent at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    parent: Option<AccountCode>,
    /// `header` or `posting`.
    #[schema(value_type = String)]
    kind: AccountKind,
    /// Whether it takes postings.
    active: bool,
    /// What postings know it by.
    roles: Vec<String>,
}

impl AccountView {
    pub(crate) fn new(chart: &Chart, code: &AccountCode, account: &Account) -> Self {
        let roles = chart.roles.iter().filter(|(_, found)| *found == code);
        Self {
            code: code.clone(),
            name: account.name.clone(),
            class: account.class.as_str(),
            parent: account.parent.clone(),
            kind: account.kind,
            active: account.active,
            roles: roles.map(|(role, _)| role.to_string()).collect(),
        }
    }
}

/// The chart of accounts, by code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChartView {
    #[schema(value_type = u64)]
    version: Version,
    items: Vec<AccountView>,
}

impl ChartView {
    pub(crate) fn new(chart: &Chart, version: Version) -> Self {
        let items = chart.accounts.iter().map(|(code, account)| AccountView::new(chart, code, account));
        Self { version, items: items.collect() }
    }
}
