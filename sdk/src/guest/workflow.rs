//! World `workflow-module`.

use std::marker::PhantomData;

use super::bindings::exports::niyam::rules::{module, workflow};
use super::context;
use super::convert::list;
use crate::WorkflowModule;

/// Exports a [`WorkflowModule`].
pub struct Workflow<T>(PhantomData<T>);

impl<T: WorkflowModule> module::Guest for Workflow<T> {
    fn describe() -> module::Manifest {
        T::manifest().into()
    }
}

impl<T: WorkflowModule> workflow::Guest for Workflow<T> {
    fn advance(
        subject: workflow::Subject,
        state: String,
        input: workflow::Input,
    ) -> Result<(String, Vec<workflow::Effect>), Vec<workflow::Finding>> {
        T::advance(&context(), &subject.into(), &state, &input.into())
            .map(|transition| (transition.state, list(transition.effects)))
            .map_err(list)
    }
}
