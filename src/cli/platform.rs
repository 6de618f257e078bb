//! `halo voximplant …`

use super::{Failure, settings};
use clap::Subcommand;
use halo::app;

#[derive(Subcommand)]
pub enum Verb {
    /// Create or update application, scenarios, rules and secrets; a second time changes nothing.
    Deploy {
        /// Print what would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Print one scenario as a self-contained file, to paste into the control panel.
    Bundle {
        /// A scenario's file, name or mode.
        name: String,
    },
}

pub async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Bundle { name } => {
            print!("{}", app::bundle(&settings()?, &name)?);
            Ok(())
        }
        Verb::Deploy { dry_run } => {
            let config = settings()?;
            let plan = app::deploy(&config, dry_run).await?;
            print!("{plan}");
            Ok(())
        }
    }
}
