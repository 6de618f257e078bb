//! The acts, stamped for SQLite.

pub type Conn = sqlx::SqliteConnection;
/// Lines that end so are for the other engine.
pub const OTHER: &str = "-- postgres";

#[path = "acts/mod.rs"]
pub mod acts;
