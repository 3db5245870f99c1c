//! The one call that makes a component of a crate.
//!
//! A macro of the SDK puts the exports and the description of its own world into the author's crate, and nothing of
//! another world: what a component's description promises, the component must have.

/// Exports a type that implements [`TaxModule`](crate::TaxModule) as a component of world `tax-module`.
///
/// Called once, at the root of a crate of type `cdylib`. On targets other than
/// `wasm32` it only checks that the type implements the trait.
#[macro_export]
macro_rules! export_tax {
    ($module:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Tax<$module>;
            $crate::guest::worlds::tax::export! { Exported with_types_in $crate::guest::bindings }
        };
        // The type is used on every target, and checked.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Manifest = <$module as $crate::TaxModule>::manifest;
    };
}

/// Exports a type that implements [`ComplianceModule`](crate::ComplianceModule) as a component of world `compliance-module`.
///
/// Called once, at the root of a crate of type `cdylib`. On targets other than
/// `wasm32` it only checks that the type implements the trait.
#[macro_export]
macro_rules! export_compliance {
    ($module:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Compliance<$module>;
            $crate::guest::worlds::compliance::export! { Exported with_types_in $crate::guest::bindings }
        };
        // The type is used on every target, and checked.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Manifest = <$module as $crate::ComplianceModule>::manifest;
    };
}

/// Exports a type that implements [`PolicyModule`](crate::PolicyModule) as a component of world `policy-module`.
///
/// Called once, at the root of a crate of type `cdylib`. On targets other than
/// `wasm32` it only checks that the type implements the trait.
#[macro_export]
macro_rules! export_policy {
    ($module:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Policy<$module>;
            $crate::guest::worlds::policy::export! { Exported with_types_in $crate::guest::bindings }
        };
        // The type is used on every target, and checked.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Manifest = <$module as $crate::PolicyModule>::manifest;
    };
}

/// Exports a type that implements [`WorkflowModule`](crate::WorkflowModule) as a component of world `workflow-module`.
///
/// Called once, at the root of a crate of type `cdylib`. On targets other than
/// `wasm32` it only checks that the type implements the trait.
#[macro_export]
macro_rules! export_workflow {
    ($module:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Workflow<$module>;
            $crate::guest::worlds::workflow::export! { Exported with_types_in $crate::guest::bindings }
        };
        // The type is used on every target, and checked.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Manifest = <$module as $crate::WorkflowModule>::manifest;
    };
}
