//! World `tax-module`.

use std::marker::PhantomData;

use super::bindings::exports::niyam::rules::{module, tax};
use super::{context, convert};
use crate::TaxModule;

/// Exports a [`TaxModule`].
pub struct Tax<T>(PhantomData<T>);

impl<T: TaxModule> module::Guest for Tax<T> {
    fn describe() -> module::Manifest {
        T::manifest().into()
    }
}

impl<T: TaxModule> tax::Guest for Tax<T> {
    fn determine(document: tax::Document) -> Result<tax::Determination, Vec<tax::Finding>> {
        convert::answer(T::determine(&context(), &document.into()))
    }
}
