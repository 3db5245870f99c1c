//! Generated from `wit/`: every interface of the contract, once, whichever worlds export it.
//!
//! The worlds themselves, with the descriptions that the component tool reads, are in [`worlds`](super::worlds).

#![expect(missing_docs, clippy::pedantic, reason = "generated")]

wit_bindgen::generate!({
    inline: "
        package niyam:sdk;

        world every-module {
            import niyam:rules/context@0.1.0;
            export niyam:rules/module@0.1.0;
            export niyam:rules/tax@0.1.0;
            export niyam:rules/compliance@0.1.0;
            export niyam:rules/policy@0.1.0;
            export niyam:rules/workflow@0.1.0;
        }
    ",
    path: "../wit",
    world: "niyam:sdk/every-module",
    pub_export_macro: true,
    generate_all,
});
