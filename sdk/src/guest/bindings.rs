//! Generated from `wit/`. World `tax-module` exports a part of what `compliance-module` does, so one set of bindings
//! serves both; the second generation is there for the world's description alone, which the component tool reads.
//! That description is in every module built with this SDK and asks for the exports of `tax-module`: a world without them
//! needs its own crate of bindings.

#![expect(missing_docs, clippy::pedantic, reason = "generated")]

wit_bindgen::generate!({
    path: "../wit",
    world: "compliance-module",
    pub_export_macro: true,
    generate_all,
});

mod tax_world {
    wit_bindgen::generate!({
        path: "../wit",
        world: "tax-module",
        generate_all,
    });
}
