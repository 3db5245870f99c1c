//! The host's side of the contract, generated from `wit/`: every interface once, whichever worlds export it.

wasmtime::component::bindgen!({
    inline: "
        package niyam:host;

        world every-module {
            import niyam:rules/context@0.1.0;
            export niyam:rules/module@0.1.0;
            export niyam:rules/tax@0.1.0;
            export niyam:rules/compliance@0.1.0;
            export niyam:rules/policy@0.1.0;
            export niyam:rules/workflow@0.1.0;
        }
    ",
    path: "../../wit",
    world: "niyam:host/every-module",
    ownership: Borrowing { duplicate_if_necessary: true },
});
