//! What of the audio that was sent has been heard: the platform plays it without telling how far it is.
//!
//! The platform's buffer holds ten seconds and throws away what does not fit. So never more than half of that
//! is sent ahead, and the rest waits on our side, where an interruption can still take it back.

use std::collections::VecDeque;

/// The platform keeps this much of what waits to be heard.
pub const BUFFER_MS: u64 = 10_000;
/// Never more than this is sent ahead of what is heard.
pub const AHEAD_MS_MAX: u64 = BUFFER_MS / 2;

/// A stretch of one item's audio.
#[derive(Debug)]
struct Stretch {
    item: String,
    begins_at: u64,
    ms: u64,
    /// How much of the item was sent before.
    before_ms: u64,
}

/// All instants are milliseconds of one clock that never goes back.
#[derive(Debug, Default)]
pub struct Playout {
    stretches: VecDeque<Stretch>,
    quiet_at: u64,
}

impl Playout {
    /// When everything that was sent has been heard.
    pub fn quiet_at(&self) -> u64 {
        self.quiet_at
    }

    /// How much of what was sent is still to be heard.
    pub fn ahead_ms(&self, now: u64) -> u64 {
        self.quiet_at.saturating_sub(now)
    }

    /// How much may be sent now.
    pub fn room_ms(&self, now: u64) -> u64 {
        AHEAD_MS_MAX.saturating_sub(self.ahead_ms(now))
    }

    pub fn sent(&mut self, now: u64, item: &str, ms: u64) {
        self.stretches.retain(|it| it.item == item || it.begins_at + it.ms > now);
        let begins_at = self.quiet_at.max(now);
        self.quiet_at = begins_at + ms;
        match self.stretches.back_mut() {
            Some(last) if last.item == item && last.begins_at + last.ms == begins_at => last.ms += ms,
            last => {
                let before_ms = last.filter(|it| it.item == item).map_or(0, |it| it.before_ms + it.ms);
                self.stretches.push_back(Stretch { item: item.to_owned(), begins_at, ms, before_ms });
            }
        }
    }

    /// The buffer is emptied: whose audio was cut, and how much of each was heard.
    pub fn cut(&mut self, now: u64) -> Vec<(String, u64)> {
        let mut cut: Vec<(String, u64)> = Vec::new();
        for it in self.stretches.drain(..) {
            if it.begins_at + it.ms <= now || cut.iter().any(|(item, _)| *item == it.item) {
                continue;
            }
            cut.push((it.item, it.before_ms + now.saturating_sub(it.begins_at)));
        }
        self.quiet_at = self.quiet_at.min(now);
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_heard_one_after_the_other() {
        let mut playout = Playout::default();
        playout.sent(1_000, "a", 500);
        playout.sent(1_010, "a", 500);
        assert_eq!((playout.quiet_at(), playout.ahead_ms(1_400)), (2_000, 600));
        assert_eq!(playout.ahead_ms(2_500), 0);
        playout.sent(3_000, "b", 100);
        assert_eq!(playout.quiet_at(), 3_100, "a pause is not made up for");
    }

    #[test]
    fn half_of_the_platforms_buffer_is_the_most() {
        let mut playout = Playout::default();
        let (mut now, mut most) = (0, 0);
        for _ in 0..10_000 {
            while playout.room_ms(now) >= 20 {
                playout.sent(now, "a", 20);
            }
            most = most.max(playout.ahead_ms(now));
            now += 7;
        }
        assert!((AHEAD_MS_MAX - 20..=AHEAD_MS_MAX).contains(&most), "{most} ms ahead");
    }

    #[test]
    fn a_cut_tells_how_much_was_heard() {
        let mut playout = Playout::default();
        playout.sent(0, "a", 1_000);
        playout.sent(0, "b", 1_000);
        playout.sent(0, "c", 1_000);
        let told = |list: &[(&str, u64)]| list.iter().map(|(item, ms)| ((*item).to_owned(), *ms)).collect::<Vec<_>>();
        assert_eq!(playout.cut(1_300), told(&[("b", 300), ("c", 0)]));
        assert_eq!((playout.quiet_at(), playout.ahead_ms(1_300)), (1_300, 0));
        assert!(playout.cut(1_400).is_empty());
    }

    #[test]
    fn a_pause_in_the_middle_of_an_item_is_no_audio_of_it() {
        let mut playout = Playout::default();
        playout.sent(0, "a", 400);
        playout.sent(900, "a", 400);
        assert_eq!(playout.cut(1_000), [("a".to_owned(), 500)]);
    }

    #[test]
    fn what_was_heard_to_its_end_is_not_cut() {
        let mut playout = Playout::default();
        playout.sent(0, "a", 400);
        assert!(playout.cut(400).is_empty());
        assert_eq!(playout.quiet_at(), 400);
    }
}
