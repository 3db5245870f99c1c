//! Modules that were uploaded: their components, who signed them, who compiles them; and the publishers that the
//! operator trusts. They belong to the platform, by digest; which tenant brought a module is the tenant's.

use jiff::Timestamp;
use niyam_domain::TenantId;
use uuid::Uuid;

use crate::error::StoreError;
use crate::sql::modules;
use crate::store::EventStore;

/// Somebody whose modules the operator trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// First 16 hex digits of the SHA-256 of the public key.
    pub key_id: String,
    /// For people, and for the policies of tenants.
    pub name: String,
    /// ed25519.
    pub public_key: [u8; 32],
    /// Since when.
    pub added_at: Timestamp,
    /// Since when no longer.
    pub revoked_at: Option<Timestamp>,
}

/// How far an uploaded module has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleState {
    /// Waits for a compiler.
    Queued,
    /// A host compiles it.
    Compiling,
    /// May be activated.
    Ready,
    /// Will never be.
    Refused,
}

impl ModuleState {
    /// As stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Compiling => "compiling",
            Self::Ready => "ready",
            Self::Refused => "refused",
        }
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        [Self::Queued, Self::Compiling, Self::Ready, Self::Refused]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// An uploaded module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedModule {
    /// SHA-256 of the component.
    pub digest: [u8; 32],
    /// How far it has come.
    pub state: ModuleState,
    /// Size of the component.
    pub bytes: u64,
    /// JSON: what it says of itself when ready, why when refused. The store does not look into it.
    pub report: Option<String>,
    /// Since when it waits, or waited.
    pub queued_at: Timestamp,
}

/// A component on its way in.
#[derive(Debug)]
pub struct ModuleUpload<'a> {
    /// SHA-256 of `bytes`.
    pub digest: [u8; 32],
    /// The component.
    pub bytes: &'a [u8],
    /// Who brings it.
    pub user: &'a str,
    /// Signatures that hold, each by the id of its key.
    pub signatures: &'a [(String, [u8; 64])],
}

impl EventStore {
    /// Trusts a publisher; says whether the key was unknown. One that was revoked stays so.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn add_publisher(&self, key_id: &str, name: &str, key: &[u8; 32]) -> Result<bool, StoreError> {
        modules::add_publisher(self.database(), key_id, name, key, self.now_micros()).await
    }

    /// Trusts a publisher's key no longer; says whether it was trusted.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn revoke_publisher(&self, key_id: &str) -> Result<bool, StoreError> {
        modules::revoke_publisher(self.database(), key_id, self.now_micros()).await
    }

    /// Every publisher that was ever trusted, the first one first.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn publishers(&self) -> Result<Vec<Publisher>, StoreError> {
        modules::publishers(self.database()).await
    }

    /// Keeps a component for a tenant, in one transaction: its bytes, its place in the queue, its signatures. Says
    /// whether the tenant had it not before.
    ///
    /// # Errors
    ///
    /// [`StoreError::DigestMismatch`] if the digest is not that of the bytes.
    pub async fn upload_module(
        &self,
        tenant: &TenantId,
        upload: &ModuleUpload<'_>,
    ) -> Result<bool, StoreError> {
        crate::component::check(&upload.digest, upload.bytes)?;
        modules::upload(self.database(), tenant, upload, self.now_micros()).await
    }

    /// The modules that a tenant uploaded, the newest first.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn uploaded_modules(&self, tenant: &TenantId) -> Result<Vec<UploadedModule>, StoreError> {
        modules::uploaded(self.database(), tenant).await
    }

    /// A module that the tenant uploaded.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn uploaded_module(
        &self,
        tenant: &TenantId,
        digest: &[u8; 32],
    ) -> Result<Option<UploadedModule>, StoreError> {
        modules::uploaded_one(self.database(), tenant, digest).await
    }

    /// Ids of the keys that signed a module.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn module_signers(&self, digest: &[u8; 32]) -> Result<Vec<String>, StoreError> {
        modules::signers(self.database(), digest).await
    }

    /// Digests of modules that are ready.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn ready_modules(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        modules::ready(self.database()).await
    }

    /// Takes the module that waited longest, or that a host left, for `host` to compile until `until`. Says which attempt
    /// it is.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn claim_module(
        &self,
        host: Uuid,
        until: Timestamp,
    ) -> Result<Option<([u8; 32], u64)>, StoreError> {
        let (now, until) = (self.now_micros(), until.as_microsecond());
        modules::claim(self.database(), host, now, until).await
    }

    /// Keeps what `host` claimed until `until`; says whether it still has it.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn keep_claim(
        &self,
        host: Uuid,
        digest: &[u8; 32],
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        modules::keep_claim(self.database(), host, digest, until.as_microsecond()).await
    }

    /// Ends what `host` claimed: ready or refused, with a report. Says whether it still had it.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn settle_module(
        &self,
        host: Uuid,
        digest: &[u8; 32],
        state: ModuleState,
        report: &str,
    ) -> Result<bool, StoreError> {
        modules::settle(self.database(), host, digest, state, report).await
    }

    fn now_micros(&self) -> i64 {
        self.config().clock.now().as_microsecond()
    }
}
