//! The acts, stamped for PostgreSQL.

pub type Conn = sqlx::PgConnection;
/// Lines that end so are for the other engine.
pub const OTHER: &str = "-- sqlite";
/// Other nodes write too.
pub const ROWS_ARE_LOCKED: bool = true;

#[path = "bulk/postgres.rs"]
pub mod bulk;

#[path = "pipeline/postgres.rs"]
pub mod pipeline;

#[path = "acts/mod.rs"]
pub mod acts;
