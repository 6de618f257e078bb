//! The report as JSON: the object itself.

use super::RenderError;
use crate::report::model::Report;

/// Indented, since people read it too. Shares and milliseconds are not rounded.
pub fn json(report: &Report) -> Result<String, RenderError> {
    Ok(serde_json::to_string_pretty(report)?)
}
