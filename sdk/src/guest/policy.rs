//! World `policy-module`.

use std::marker::PhantomData;

use super::bindings::exports::niyam::rules::{module, policy};
use super::context;
use crate::PolicyModule;

/// Exports a [`PolicyModule`].
pub struct Policy<T>(PhantomData<T>);

impl<T: PolicyModule> module::Guest for Policy<T> {
    fn describe() -> module::Manifest {
        T::manifest().into()
    }
}

impl<T: PolicyModule> policy::Guest for Policy<T> {
    fn evaluate(request: policy::Request) -> policy::Ruling {
        T::evaluate(&context(), &request.into()).into()
    }
}
