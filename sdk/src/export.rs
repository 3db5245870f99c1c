//! The one call that makes a component of a crate.

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
            $crate::guest::bindings::exports::niyam::rules::module::__export_niyam_rules_module_0_1_0_cabi!(
                Exported with_types_in $crate::guest::bindings::exports::niyam::rules::module
            );
            $crate::guest::bindings::exports::niyam::rules::tax::__export_niyam_rules_tax_0_1_0_cabi!(
                Exported with_types_in $crate::guest::bindings::exports::niyam::rules::tax
            );
        };
        // The type is used on every target, and checked.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Manifest = <$module as $crate::TaxModule>::manifest;
    };
}

/// Exports a type that implements [`ComplianceModule`](crate::ComplianceModule) as a component of world
/// `compliance-module`.
///
/// Called once, at the root of a crate of type `cdylib`. On targets other than
/// `wasm32` it only checks that the type implements the trait.
#[macro_export]
macro_rules! export_compliance {
    ($module:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Compliance<$module>;
            $crate::guest::bindings::export! { Exported with_types_in $crate::guest::bindings }
        };
        // The type is used on every target, and checked.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Manifest = <$module as $crate::ComplianceModule>::manifest;
    };
}
