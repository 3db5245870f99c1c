//! World `policy-module`: its exports and its description, which the SDK's macro puts into the author's crate.
//!
//! A crate for each world, since the macros that are generated for two worlds have the same names. Only `niyam-sdk`
//! depends on it; the types are the SDK's own.

#[cfg(target_arch = "wasm32")]
mod generated {
    #![expect(clippy::pedantic, reason = "generated")]

    wit_bindgen::generate!({
        path: "../../../wit",
        world: "policy-module",
        pub_export_macro: true,
        generate_all,
    });
}

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub use generated::export;
