//! The acts, stamped for SQLite.

pub type Conn = sqlx::SqliteConnection;
/// Lines that end so are for the other engine.
pub const OTHER: &str = "-- postgres";
/// Rows need no locks: there is one writer.
pub const ROWS_ARE_LOCKED: bool = false;

#[path = "bulk/sqlite.rs"]
pub mod bulk;

#[path = "pipeline/sqlite.rs"]
pub mod pipeline;

#[path = "acts/mod.rs"]
pub mod acts;
