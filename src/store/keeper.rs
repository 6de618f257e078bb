//! A thread for whoever holds the connection that writes.
//!
//! A commit answers hundreds of callers at once, and all of them go on at once. The writer would stand behind them at
//! every step, and the database would have nothing to do meanwhile.

use std::sync::LazyLock;
use tokio::runtime::{Builder, Handle, Runtime};

/// One for the process; it ends with it.
pub fn keeper() -> Handle {
    static KEEPER: LazyLock<Runtime> = LazyLock::new(|| {
        let keeper = Builder::new_multi_thread().worker_threads(1).thread_name("halo-keeper").enable_all().build();
        keeper.expect("a thread can be had while the process starts")
    });
    KEEPER.handle().clone()
}
