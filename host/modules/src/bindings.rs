//! The host's side of the contract, generated from `wit/`.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "compliance-module",
    ownership: Borrowing { duplicate_if_necessary: true },
});
