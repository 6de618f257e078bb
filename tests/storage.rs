//! What a disk does to a database: no room, a sync that fails, a file that is torn. The program stops with one
//! sentence that names the file and the cure, confirms nothing that is not kept, and a restart goes on: nobody is
//! lost, nobody is rung twice. And the move from a file to PostgreSQL.

mod common;
mod harness;
mod shim;

#[path = "storage/faults.rs"]
mod faults;
#[path = "storage/lists.rs"]
mod lists;
#[path = "storage/moves.rs"]
mod moves;
#[path = "storage/webhooks.rs"]
mod webhooks;

/// reqwest is built without a provider of its own; another test may have installed it.
fn client() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
