//! Answers as programs see them, where they are put together field by field. Nothing makes one of these: they are
//! read by the document alone, and a test holds every answer of the service against them.
#![allow(dead_code, reason = "read by the derive, made by nobody")]

mod access;
mod account;
mod attempts;
mod calls;
mod campaigns;
mod judged;
mod lists;
mod numbers;
mod operation;
mod runs;
mod sessions;

pub(super) use access::*;
pub(super) use account::*;
pub(super) use attempts::*;
pub(super) use calls::*;
pub(super) use campaigns::*;
pub(super) use judged::*;
pub(super) use lists::*;
pub(super) use numbers::*;
pub(super) use operation::*;
pub(super) use runs::*;
pub(super) use sessions::*;

use super::codes::ProblemCode;
use utoipa::ToSchema;

/// An error as people and programs read it (RFC 9457).
#[derive(ToSchema)]
pub struct Problem {
    /// `urn:halo:problem:` and the code.
    #[schema(example = "urn:halo:problem:not_found")]
    r#type: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    code: ProblemCode,
    /// What went wrong, for a person.
    detail: String,
    /// Everything that is wrong, one thing a line; absent where there is one thing only.
    #[schema(nullable = false)]
    faults: Option<Vec<String>>,
    /// When it may be tried again (RFC 3339), where that is known.
    #[schema(nullable = false)]
    until: Option<String>,
}
