//! What stands behind the host's role on PostgreSQL.
//!
//! A host works as a role that row-level security binds, and whoever could run a statement of their own in its session
//! could leave that role again, for the login that connected. So the login counts: one that is no more than a member of
//! the role has nowhere to go.

use sqlx::PgPool;

/// What a session of the host could become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Nothing more than the host's role.
    Bound,
    /// The owner of a protected table, who may change it, and drop its policy.
    Owner,
    /// A role that no policy binds.
    Unbound,
}

impl Login {
    /// `bound`, `owner` or `unbound`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bound => "bound",
            Self::Owner => "owner",
            Self::Unbound => "unbound",
        }
    }

    /// Of the connections of a pool.
    pub(crate) async fn of(pool: &PgPool) -> Result<Self, sqlx::Error> {
        const SQL: &str = "select \
             exists (select from pg_roles where (rolsuper or rolbypassrls) \
                 and pg_has_role(session_user, pg_roles.oid, 'member')), \
             exists (select from pg_policy join pg_class on pg_class.oid = polrelid where polname = 'tenants' \
                 and pg_has_role(session_user, relowner, 'member'))";
        let (unbound, owner): (bool, bool) = sqlx::query_as(SQL).fetch_one(pool).await?;
        Ok(match (unbound, owner) {
            (true, _) => Self::Unbound,
            (false, true) => Self::Owner,
            (false, false) => Self::Bound,
        })
    }
}
