//! Calls of world `workflow-module`.

use niyam_values::workflow::{Input, Subject, Transition};

use crate::check;
use crate::error::ModuleFailure;
use crate::lower;
use crate::module::{Decided, Findings, Module};

impl Module {
    /// Whether it is of world `workflow-module`.
    #[must_use]
    pub fn is_workflow(&self) -> bool {
        self.interfaces.workflow.is_some()
    }

    /// What follows from `input`; `state` is that of the step before, empty at the start.
    ///
    /// # Errors
    /// When the module does not answer, or breaks the contract. Its refusal is an answer.
    pub fn advance(
        &self,
        config: &str,
        subject: &Subject,
        state: &str,
        input: &Input,
    ) -> Result<Decided<Result<Transition, Findings>>, ModuleFailure> {
        let facts = lower::pairs(&subject.facts);
        let roles = input.actor().map_or_else(Vec::new, |actor| lower::texts(&actor.roles));
        let workflow = self.interfaces.workflow.as_ref();
        let (answer, used) =
            self.call("advance", workflow, config, self.fuel(), |workflow, store, instance| {
                workflow.load(&mut *store, instance)?.call_advance(
                    store,
                    lower::subject(subject, &facts),
                    state,
                    lower::input(input, &roles),
                )
            })?;
        let answer = self.lift_answer(answer)?;
        if let Ok(transition) = &answer {
            self.must(check::transition(transition))?;
        }
        Ok(self.decided("advance", config, &(subject, state, input), answer, used))
    }
}
