//! The forms of a report: table, JSON, CSV, Markdown, one HTML page.
//!
//! Each is written from the [`Report`](super::Report) alone and adds no figure of its own.

mod charts;
mod csv;
mod differences;
mod effort;
pub mod gate;
mod hours;
mod html;
mod json;
mod judged;
mod markdown;
mod nights;
mod quantiles;
mod rows;
mod svg;
mod table;

pub use csv::csv;
pub use html::{html, html_with_links};
pub use json::json;
pub use markdown::markdown;
pub use table::table;

use super::model::{Lang, Report};

#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("the report could not be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the report could not be written as CSV")]
    Csv(#[from] ::csv::Error),
    #[error("the report's page could not be filled")]
    Html(#[from] askama::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Table,
    Json,
    Csv,
    Html,
    Markdown,
}

impl Format {
    /// The words of the command line; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "table" => Some(Format::Table),
            "json" => Some(Format::Json),
            "csv" => Some(Format::Csv),
            "html" => Some(Format::Html),
            "md" | "markdown" => Some(Format::Markdown),
            _ => None,
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Table => "text/plain; charset=utf-8",
            Format::Json => "application/json",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Html => "text/html; charset=utf-8",
            Format::Markdown => "text/markdown; charset=utf-8",
        }
    }
}

pub fn render(report: &Report, format: Format, lang: Lang) -> Result<String, RenderError> {
    match format {
        Format::Table => Ok(table(report, lang)),
        Format::Json => json(report),
        Format::Csv => csv(report),
        Format::Html => html(report, lang),
        Format::Markdown => Ok(markdown(report, lang)),
    }
}
