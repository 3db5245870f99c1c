//! What a pack says of accounts.

use niyam_domain::accounts_of_template;
use niyam_values::AccountTemplate;

use crate::error::ModuleFailure;
use crate::lift::Lift as _;
use crate::limits::FUEL_BASE;
use crate::module::{Decided, Findings, Module};

impl Module {
    /// The accounts that a new chart starts with, each after the one above it; none where the pack proposes none.
    ///
    /// # Errors
    /// When the module does not answer, or its accounts are no chart.
    pub fn chart_of_accounts(&self, config: &str) -> Result<Decided<Vec<AccountTemplate>>, ModuleFailure> {
        let (answer, used) = self.compliance("chart-of-accounts", config, FUEL_BASE, |pack, store| {
            pack.call_chart_of_accounts(store)
        })?;
        let template = self.must(answer.lift())?;
        self.must(accounts_of_template(&template))?;
        Ok(self.decided("chart-of-accounts", config, &(), template, used))
    }

    /// Whether `code` may be an account's code.
    ///
    /// # Errors
    /// When the module does not answer, or breaks the contract. Its refusal is an answer.
    pub fn check_account_code(
        &self,
        config: &str,
        code: &str,
    ) -> Result<Decided<Result<(), Findings>>, ModuleFailure> {
        let (answer, used) = self.compliance("check-account-code", config, FUEL_BASE, |pack, store| {
            pack.call_check_account_code(store, code)
        })?;
        let answer = self.lift_answer(answer)?;
        Ok(self.decided("check-account-code", config, &(code,), answer, used))
    }
}
