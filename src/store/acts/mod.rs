//! What is done to the database: one function for each act, on a connection of its engine.
//!
//! These files are compiled twice, as children of `sqlite` and of `postgres`.

/// The text of a file of `queries/`, for this engine.
macro_rules! sql {
    ($file:literal) => {{
        static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
            crate::store::for_engine(
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/queries/", $file, ".sql")),
                super::super::OTHER,
            )
        });
        TEXT.as_str()
    }};
}

pub mod access;
pub mod alternates;
pub mod append;
pub mod audit;
pub mod breakers;
pub mod calls;
pub mod campaigns;
pub mod caps;
pub mod carried;
pub mod consent;
pub mod counts;
pub mod decide;
pub mod dialogue;
pub mod effects;
pub mod erase;
pub mod exports;
pub mod figures;
pub mod forget;
pub mod judged;
pub mod lanes;
pub mod latencies;
pub mod life;
pub mod lists;
pub mod media;
pub mod money;
pub mod nights;
pub mod nodes;
pub mod note;
pub mod notices;
pub mod numbers;
pub mod operate;
pub mod pace;
pub mod people;
pub mod plan;
pub mod rehearsal;
pub mod repeats;
pub mod report;
pub mod rerun;
pub mod restore;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod shares;
pub mod single;
pub mod slices;
pub mod snapshots;
pub mod why;
