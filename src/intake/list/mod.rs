//! A file as rows of cells: what it is, how its text is written, where its cells end.
//!
//! Bytes come in any pieces and are never held as a whole; only a workbook is, because its table of contents
//! stands at its end.

pub mod bytes;
pub mod dialect;
pub mod records;
pub mod text;
pub mod workbook;

pub use records::{Flaw, Record};
