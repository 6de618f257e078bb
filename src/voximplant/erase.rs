//! What the provider is asked to forget.

use super::{ApiError, Client};

const METHOD: &str = "DeleteRecord";
/// RECORD_NOT_FOUND, FILE_NOT_FOUND: there is nothing to delete any more. INVALID_RECORD_ID (261) is not among them: a
/// name that was not understood has deleted nothing.
const GONE: [i64; 2] = [341, 501];

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
