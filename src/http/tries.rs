//! Wrong keys, slowed down by where they come from and over all addresses. Time is an argument.

use crate::domain::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Wrong tries of so long count.
const COUNTED_MS: i64 = 5 * 60 * 1000;
/// An address with so many of them is heard no more until they are forgotten.
const OF_ONE_MAX: usize = 20;
/// With so many over all addresses, whoever was wrong even once is heard no more.
const OF_ALL_MAX: usize = 200;
/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 4096;
/// Wrong tries that wait for their answer at once; more are turned away.
const WAITING_MAX: usize = 64;
const WAIT_MS_MAX: u64 = 5000;
const FIRST_WAIT_MS: u64 = 100;

/// Where a request comes from; a network of IPv6 counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Peer(IpAddr);

impl Peer {
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Peer(match address {
            IpAddr::V4(_) => address,
            // Whoever has one address of a /64 has them all.
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    TooMany { after_s: u64 },
}

/// How long a wrong try waits for its answer; its place is given back afterwards.
pub(super) struct Patience {
    span: Duration,
    waiting: Arc<AtomicUsize>,
}

impl Patience {
    pub fn for_so_long(&self) -> Duration {
        self.span
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Counted {
    all: VecDeque<Timestamp>,
    by: HashMap<Option<Peer>, VecDeque<Timestamp>>,
}

#[derive(Default)]
pub(super) struct Tries {
    counted: Mutex<Counted>,
    waiting: Arc<AtomicUsize>,
}

fn forget(tries: &mut VecDeque<Timestamp>, now: Timestamp) {
    while tries.front().is_some_and(|at| now.since(*at) > COUNTED_MS) {
        tries.pop_front();
    }
}

impl Tries {
    /// Is a key from there looked at? The right one is turned away as the wrong one is, or guessing would go on.
    pub fn may_try(&self, peer: Option<Peer>, now: Timestamp) -> Verdict {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        forget(&mut counted.all, now);
        let many = counted.all.len() >= OF_ALL_MAX;
        let Some(own) = counted.by.get_mut(&peer) else { return Verdict::Go };
        forget(own, now);
        match own.front() {
            Some(first) if many || own.len() >= OF_ONE_MAX => {
                let left_ms = (COUNTED_MS - now.since(*first)).max(1000);
                Verdict::TooMany { after_s: left_ms as u64 / 1000 }
            }
            Some(_) => Verdict::Go,
            None => {
                counted.by.remove(&peer);
                Verdict::Go
            }
        }
    }

    /// Notes a wrong key; nothing, where too many wait for their answers already.
    pub fn wrong(&self, peer: Option<Peer>, now: Timestamp) -> Option<Patience> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.all.push_back(now);
        if counted.all.len() > OF_ALL_MAX {
            counted.all.pop_front();
        }
        if counted.by.len() >= ADDRESSES_MAX {
            counted.by.retain(|_, tries| tries.back().is_some_and(|at| now.since(*at) <= COUNTED_MS));
        }
        if counted.by.len() >= ADDRESSES_MAX {
            counted.by.clear();
        }
        let own = counted.by.entry(peer).or_default();
        own.push_back(now);
        let nth = own.len();
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Patience { span: wait(nth), waiting: self.waiting.clone() })
    }
}

/// How long the answer to the n-th wrong try of the last minutes takes.
fn wait(nth: usize) -> Duration {
    Duration::from_millis((FIRST_WAIT_MS << (nth.clamp(1, 10) - 1)).min(WAIT_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn peer(text: &str) -> Option<Peer> {
        Some(Peer::of(text.parse().unwrap()))
    }

    /// The guards: `wait`, and the two limits in `may_try`.
    #[test]
    fn wrong_keys_wait_longer_and_then_are_not_heard() {
        let tries = Tries::default();
        let (one, other) = (peer("192.0.2.1"), peer("192.0.2.2"));
        let waits: Vec<u128> = (0..6).map(|_| tries.wrong(one, NOW).unwrap().span.as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200]);
        assert_eq!(tries.may_try(one, NOW), Verdict::Go);
        for _ in 6..OF_ONE_MAX {
            tries.wrong(one, NOW);
        }
        assert_eq!(tries.may_try(one, NOW.plus_ms(60_000)), Verdict::TooMany { after_s: 240 });
        assert_eq!(tries.may_try(other, NOW), Verdict::Go, "another address is nobody's fault");
        assert_eq!(tries.may_try(one, NOW.plus_ms(COUNTED_MS + 1)), Verdict::Go, "they are forgotten in the end");
        assert_eq!(tries.wrong(one, NOW.plus_ms(COUNTED_MS + 1)).unwrap().span.as_millis(), 100);
    }

    #[test]
    fn many_addresses_at_once_are_not_heard_either() {
        let tries = Tries::default();
        for at in 0..OF_ALL_MAX {
            tries.wrong(peer(&format!("192.0.2.{at}")), NOW);
        }
        assert!(matches!(tries.may_try(peer("192.0.2.7"), NOW), Verdict::TooMany { .. }));
        assert_eq!(tries.may_try(peer("198.51.100.1"), NOW), Verdict::Go, "who was never wrong is heard");
    }

    #[test]
    fn few_wait_at_once() {
        let tries = Tries::default();
        let waiting: Vec<_> = (0..WAITING_MAX).map(|_| tries.wrong(None, NOW).expect("a place")).collect();
        assert!(tries.wrong(None, NOW).is_none());
        drop(waiting);
        assert!(tries.wrong(None, NOW).is_some());
    }

    #[test]
    fn a_network_is_one_peer() {
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
    }
}
