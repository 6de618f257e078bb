//! What an export of attempts carries so that its figures can be counted again: the experiment's seed, how far the data
//! went, and the version of the views that count it.

use crate::report::gather;
use crate::report::verify::Marks;
use crate::store::{Campaign, Result, Store};
use serde_json::{Value, json};

pub(super) const COLUMNS: [&str; 5] = ["call_source", "opted_out", "seed", "watermark", "view_version"];

pub(super) struct Stamp(Marks);

impl Stamp {
    pub async fn of(store: &Store, campaign: &Campaign) -> Result<Self> {
        Ok(Stamp(gather::marks(store, campaign).await?))
    }

    pub fn cells(&self, source: Option<String>, opted_out: bool) -> [Value; 5] {
        let Stamp(marks) = self;
        [json!(source), json!(opted_out), json!(marks.seed), json!(marks.watermark), json!(marks.view_version)]
    }
}
