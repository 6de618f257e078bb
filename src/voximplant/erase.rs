//! What the provider is asked to forget.

use super::{ApiError, Client};

const METHOD: &str = "DeleteRecord";
/// INVALID_RECORD_ID, RECORD_NOT_FOUND, FILE_NOT_FOUND: there is nothing to delete any more.
const GONE: [i64; 3] = [261, 341, 501];

impl Client {
    /// A recording with its transcription, by the address that history named. Nothing left to delete is as good.
    pub async fn delete_record(&self, url: &str) -> Result<(), ApiError> {
        match self.api.call(METHOD, vec![("record_url", url.to_owned())]).await {
            Ok(_) => Ok(()),
            Err(cause) if cause.code().is_some_and(|code| GONE.contains(&code)) => Ok(()),
            Err(cause) => Err(cause),
        }
    }
}
