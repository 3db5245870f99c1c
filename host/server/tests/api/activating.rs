//! Activations as they stand in a tenant's history, written there by the test itself.

use niyam_domain::{
    Activation, ActivationState, ActivationWithdrawn, DomainEvent as _, ModuleActivated, ModuleRef,
    OnFailure, StreamId, TenantEvent, Version, World,
};
use niyam_modules::digest_hex;
use niyam_store::{Append, Batch, NewEvent, StreamWrite};
use niyam_values::Date;
use uuid::Uuid;

use crate::harness::{TestHost, guest};

/// Lets the component `name` decide for `tenant` from long ago on.
pub async fn activate(
    host: &TestHost,
    tenant: &str,
    name: &str,
    world: World,
    config: &str,
    on_failure: OnFailure,
) {
    let digest = digest_hex(&guest(name));
    let activation = Activation {
        module: ModuleRef { id: name.to_owned(), version: "1.0.0".to_owned(), digest },
        world,
        effective_from: Date::constant(2020, 1, 1),
        config: config.to_owned(),
        config_digest: digest_hex(config.as_bytes()),
        on_failure,
        state: ActivationState::Active,
    };
    record(host, tenant, &TenantEvent::ModuleActivated(ModuleActivated { activation })).await;
}

/// Lets the tenant's activation of that number no longer answer.
pub async fn withdraw(host: &TestHost, tenant: &str, number: u32) {
    let withdrawn = ActivationWithdrawn { number, reason: None };
    record(host, tenant, &TenantEvent::ActivationWithdrawn(withdrawn)).await;
}

async fn record(host: &TestHost, tenant: &str, event: &TenantEvent) {
    let store = host.server.app().store();
    let (tenant, stream) = (tenant.parse().unwrap(), StreamId::tenant());
    let expected = store.load(&tenant, &stream, Version(0)).await.unwrap().last().unwrap().version;
    let event = NewEvent {
        id: Uuid::from_u128(u128::from(expected.0)),
        event_type: event.event_type().to_owned(),
        payload: event.payload().unwrap(),
        metadata: br#"{"user":"operator","roles":[],"trace_id":"t"}"#.to_vec(),
        effective_date: Date::constant(2026, 8, 15),
    };
    let write = StreamWrite { stream, expected, events: vec![event] };
    let batch = Batch { writes: vec![write], answer: Vec::new() };
    store.append(&tenant, Append::of(batch)).await.unwrap();
}
