//! What the platform's documents leave open: each question has a name, and the answers can be tried.

use clap::ValueEnum;

/// Documented: 200 bytes. Seen to work: more. So what becomes of more is a switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LongCustomData {
    /// The session gets all of it, and its log says so.
    #[default]
    Warn,
    /// The session gets the first 200 bytes.
    Truncate,
    /// The start is refused (499).
    Reject,
}

/// What happens when the account has no money left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NoMoney {
    /// Starts are refused (127).
    #[default]
    RefuseStart,
    /// Sessions start, and their calls fail with 402.
    FailCall,
}

/// What a scenario's HTTP request costs on its session's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RequestCost {
    /// What the server declares in `Server-Timing`, so that this machine's load shows in no figure.
    #[default]
    Reported,
    /// What it took, on a thread of its own: for a server that declares nothing.
    Measured,
}
