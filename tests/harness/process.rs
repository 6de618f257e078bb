//! The program as real processes, which do not outlive their test.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Whatever is waited for has come by then, on a busy machine too.
pub const SOON: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until there is an answer; panics with `what` when the deadline has passed.
pub async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address")
}

pub struct Process(Child);

impl Process {
    /// What it prints goes behind what stands in `log`.
    pub fn start(mut command: Command, log: &Path) -> Process {
        let log = File::options().create(true).append(true).open(log).expect("a log");
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        Process(command.spawn().expect("the program starts"))
    }

    /// `kill -NAME`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "the process has ended");
    }

    /// As `kill -9` does: nothing is written any more.
    pub fn kill(&mut self) {
        self.0.kill().expect("it ran");
        self.0.wait().expect("it ended");
    }

    /// Waits for the end.
    pub fn ended(&mut self) -> ExitStatus {
        self.0.wait().expect("it ends")
    }

    /// `None` while it runs.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("a process of ours")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
