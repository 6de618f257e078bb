//! The command line.
//!
//! Exit codes: 0 done; 1 data refused, or a law or check failed; 2 wrong usage or settings.

mod cli;

use clap::Parser;
use std::process::ExitCode;

/// A call is many small allocations on several threads at once, and with the system's allocator these threads wait for
/// each other (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The scenarios' engine reads the zone once; sessions live in UTC. Nothing runs beside us yet.
    // SAFETY: no other thread exists.
    unsafe { std::env::set_var("TZ", "UTC") };
    // The allocator asks for pages of two megabytes, of which most threads fill a corner: half of what a process holds.
    #[cfg(target_os = "linux")]
    let _as_it_was = rustix::thread::disable_transparent_huge_pages(true);
    // reqwest is built without a provider of its own.
    rustls::crypto::ring::default_provider().install_default().ok();
    // A missing .env is no fault.
    let dotenv = dotenvy::dotenv();
    let args = cli::Args::parse();
    if let Err(cause) = &dotenv
        && !cause.not_found()
        && !args.bears_a_broken_env()
    {
        // The line itself may hold a key.
        let what = match cause {
            dotenvy::Error::LineParse(..) => "a line of it cannot be read".to_owned(),
            cause => cause.to_string(),
        };
        eprintln!("halo: .env: {what}; `halo voximplant doctor` says more");
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => {
            eprintln!("halo: {cause}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(cli::run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("halo: {}", failure.message);
            }
            ExitCode::from(failure.code)
        }
    }
}
