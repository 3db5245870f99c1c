//! Tokens: signed by the key of this data folder, and by no other.

use std::io;
use std::path::Path;

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use niyam_domain::TenantId;
use serde::{Deserialize, Serialize};

use crate::keys;
use crate::roles::Role;

const ISSUER: &str = "niyam";
const AUDIENCE: &str = "niyam";
/// Where the signing key lies under the data folder.
const KEY_FILE: &str = "keys/token-signing.pem";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// The user.
    pub sub: String,
    /// The tenant that it opens, and no other.
    pub tenant: TenantId,
    /// What the user may do there.
    pub roles: Vec<Role>,
    /// Issued at, seconds.
    pub iat: i64,
    /// Not valid before, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Expires at, seconds.
    pub exp: i64,
}

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// Not signed by our key with our algorithm, or not of our shape.
    #[error("the token is not one of this server's")]
    Invalid,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
}

/// The key that signs tokens and checks them.
pub struct SigningKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl SigningKey {
    /// The key of a data folder; made on first use, readable by its owner alone.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is no key.
    pub fn open(data_folder: &Path) -> io::Result<Self> {
        Self::of(&keys::open(&data_folder.join(KEY_FILE))?)
    }

    /// The key that the data folder holds already.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn read(data_folder: &Path) -> io::Result<Self> {
        let path = data_folder.join(KEY_FILE);
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        Self::of(&keys::read(&path).map_err(named)?)
    }

    fn of(key: &ed25519_dalek::SigningKey) -> io::Result<Self> {
        let der = key.to_pkcs8_der().map_err(io::Error::other)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Its time is checked below, against the injected clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Ok(Self {
            encoding: EncodingKey::from_ed_der(der.as_bytes()),
            decoding: DecodingKey::from_ed_der(key.verifying_key().as_bytes()),
            validation,
        })
    }

    /// Signs a token for `user` of `tenant`.
    ///
    /// # Errors
    /// When signing fails.
    pub fn sign(
        &self,
        tenant: &TenantId,
        user: &str,
        roles: &[Role],
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> io::Result<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.to_owned(),
            tenant: tenant.clone(),
            roles: roles.to_vec(),
            iat: issued_at.as_second(),
            nbf: None,
            exp: expires_at.as_second(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.encoding)
            .map_err(io::Error::other)
    }

    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let now = now.as_second();
        if claims.exp <= now {
            return Err(TokenError::Expired);
        }
        if claims.nbf.is_some_and(|nbf| nbf > now) { Err(TokenError::NotYetValid) } else { Ok(claims) }
    }
}
