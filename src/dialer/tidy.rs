//! tidy: what is to be kept no longer, here and at the provider. The one who sweeps does it, once a minute.

use super::{Dialer, Result};
use crate::domain::Timestamp;
use tracing::{info, warn};

/// Looked at so often (real time).
const EVERY_WALL_MS: i64 = 60_000;
/// Attempts that are forgotten in one transaction, and rows of lists; and how many such pieces at once.
const PIECE: i64 = 500;
const PIECES_MAX: usize = 20;
/// Recordings that the provider is asked to delete at once.
const RECORDS_MAX: i64 = 20;
/// The provider's history of a session may come for a month: so long a person who was erased is looked after.
const LATE_MS: i64 = 35 * 24 * 3600 * 1000;
/// A recording that the provider did not delete: again after this, and then after twice as long.
const AGAIN_MS: i64 = 60_000;
const AGAIN_MS_MAX: i64 = 24 * 3600 * 1000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Attempts of erased people of which something had come in since.
    pub late: usize,
    /// Attempts and rows that were older than they are kept.
    pub old: usize,
    /// Recordings that the provider has deleted.
    pub records: usize,
}

/// How long after the n-th refusal it is asked again.
fn patience_ms(tries: i64) -> i64 {
    AGAIN_MS.saturating_mul(1 << tries.clamp(0, 20)).min(AGAIN_MS_MAX)
}

impl Dialer {
    /// Not more often than every minute of real time.
    pub(super) async fn tidy_now_and_then(&self) -> Result<()> {
        let now = self.clock.wall();
        {
            let mut last = self.tidied.lock().expect("no panic while holding it");
            if now.since(*last) < EVERY_WALL_MS {
                return Ok(());
            }
            *last = now;
        }
        let done = self.tidy().await?;
        if done != Tidied::default() {
            info!("Forgotten: {} attempts or rows by age, {} late, {} recordings", done.old, done.late, done.records);
        }
        Ok(())
    }

    pub async fn tidy(&self) -> Result<Tidied> {
        let now = self.clock.now();
        let mut done = Tidied { late: self.store.erase_late(now.plus_ms(-LATE_MS), now).await?, ..Tidied::default() };
        for _ in 0..PIECES_MAX {
            let old = self.store.forget_old(now, PIECE).await?;
            done.old += old;
            if old == 0 {
                break;
            }
        }
        for record in self.store.doomed_records(self.account, now, RECORDS_MAX).await? {
            match self.client.delete_record(&record.url).await {
                Ok(()) => {
                    self.store.record_is_gone(record.url).await?;
                    done.records += 1;
                }
                Err(cause) => {
                    warn!("A recording is still at the provider: {cause}");
                    let again = Timestamp(now.0).plus_ms(patience_ms(record.tries));
                    self.store.record_stays(record.url, again, cause.to_string()).await?;
                }
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_doubles_up_to_a_day() {
        assert_eq!([0, 1, 2, 60].map(patience_ms), [60_000, 120_000, 240_000, AGAIN_MS_MAX]);
    }
}
