//! The rolling second as the provider sees it.
//!
//! What counts is when a start arrives there, and nobody tells when that was. It arrived before its answer: counted from
//! the fastest way there, a start that was answered at `a` arrived at `a` − the shortest round trip at the latest, as
//! far as the shortest one so far is the shortest there is; the first answer has nothing taken off. But an answer takes
//! as long as the provider thinks, which is not a way; so a request that was written to a connection counts as arrived
//! [`WAY_MAX`] later at the latest. A start leaves only a whole second after the one so many places before it arrived at
//! the latest: then no rolling second holds more, as long as no way is longer than the fastest one by more than that.

use std::time::{Duration, Instant};

/// What a way there may be longer than the fastest one. Slots give away 15 ms of each second: less than that, and a start
/// that left late makes the one that waits for its place less late, and no slot is missed for it.
const WAY_MAX: Duration = Duration::from_millis(14);

/// Starts that are on their way, or arrived within the last second.
#[derive(Debug)]
pub struct Window {
    places: usize,
    span: Duration,
    shortest: Option<Duration>,
    held: Vec<Place>,
    next: u64,
}

#[derive(Debug)]
struct Place {
    id: u64,
    sent: Option<Instant>,
    /// At the latest; nothing before it left.
    arrived: Option<Instant>,
}

/// Whether a start may leave.
#[derive(Debug, PartialEq)]
pub enum Room {
    Place(u64),
    At(Instant),
    /// When one of them leaves, or is given back.
    Unknown,
}

impl Window {
    /// `cps` starts per second; below one, one start in as many seconds as it takes.
    pub fn new(cps: f64) -> Self {
        let places = cps.ceil().max(1.0);
        Window {
            places: places as usize,
            span: Duration::from_secs_f64(if cps < 1.0 { 1.0 / cps } else { 1.0 }),
            shortest: None,
            held: Vec::new(),
            next: 0,
        }
    }

    pub fn take(&mut self, now: Instant) -> Room {
        let span = self.span;
        self.held.retain(|place| place.arrived.is_none_or(|arrived| arrived + span > now));
        if self.held.len() < self.places {
            self.next += 1;
            self.held.push(Place { id: self.next, sent: None, arrived: None });
            return Room::Place(self.next);
        }
        let first = self.held.iter().filter_map(|place| place.arrived).min();
        first.map_or(Room::Unknown, |arrived| Room::At(arrived + span))
    }

    /// The request leaves now.
    pub fn leaves(&mut self, id: u64, now: Instant) {
        if let Some(place) = self.held.iter_mut().find(|place| place.id == id) {
            place.sent = Some(now);
            place.arrived = Some(now + WAY_MAX);
        }
    }

    /// The answer is here, or nobody waits for it any more. A place that was not used is free at once.
    pub fn ends(&mut self, id: u64, now: Instant) {
        let Some(at) = self.held.iter().position(|place| place.id == id) else { return };
        let Some(sent) = self.held[at].sent else {
            self.held.swap_remove(at);
            return;
        };
        let took = now.saturating_duration_since(sent);
        let known = self.shortest.map_or(Duration::ZERO, |shortest| shortest.min(took));
        self.shortest = Some(self.shortest.map_or(took, |shortest| shortest.min(took)));
        self.held[at].arrived = Some((now - known).min(sent + WAY_MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_place_is_free_a_second_after_its_start_arrived() {
        let (mut window, began) = (Window::new(2.0), Instant::now());
        let at = |ms: u64| began + Duration::from_millis(ms);
        let (first, second) = (window.take(at(0)), window.take(at(0)));
        let (Room::Place(first), Room::Place(second)) = (first, second) else { panic!("two places") };
        assert_eq!(window.take(at(1)), Room::Unknown, "neither has left");
        window.ends(second, at(2));
        let Room::Place(second) = window.take(at(2)) else { panic!("one did not leave") };
        window.leaves(first, at(3));
        // Written, not answered: it is there in fourteen milliseconds.
        window.leaves(second, at(40));
        assert_eq!(window.take(at(41)), Room::At(at(1017)));
        // Of the first way there and back nothing is known, and its answer came early.
        window.ends(first, at(8));
        assert_eq!(window.take(at(50)), Room::At(at(1008)));
        // Three more than the shortest: so late it may have arrived.
        window.ends(second, at(48));
        assert!(matches!(window.take(at(1008)), Room::Place(_)));
        assert_eq!(window.take(at(1009)), Room::At(at(1043)));
        assert_eq!(Window::new(0.1).span, Duration::from_secs(10));
    }

    #[test]
    fn an_answer_that_takes_its_time_is_no_long_way() {
        let (mut window, began) = (Window::new(1.0), Instant::now());
        let at = |ms: u64| began + Duration::from_millis(ms);
        let Room::Place(only) = window.take(at(0)) else { panic!("an empty window") };
        window.leaves(only, at(0));
        window.ends(only, at(700));
        assert_eq!(window.take(at(701)), Room::At(at(1014)));
    }

    proptest! {
        /// The guards: `arrived` is the latest possible moment, and a place that did not leave is held. Whatever the answers
        /// take, and ways there up to `WAY_MAX` more than the fastest: no rolling second at the provider holds more than
        /// the limit.
        #[test]
        fn no_rolling_second_at_the_provider_is_above_the_limit(
            cps in 1u32..20, least in (0u64..50, 0u64..50), ways in prop::collection::vec((0u64..=14, 0u64..400, 0u64..60), 1..200),
        ) {
            let (mut window, began) = (Window::new(f64::from(cps)), Instant::now());
            let (mut now, mut answers, mut arrived) = (0u64, Vec::<(u64, u64)>::new(), Vec::new());
            let at = |ms: u64| began + Duration::from_millis(ms);
            let Room::Place(fastest) = window.take(at(0)) else { panic!("an empty window") };
            window.leaves(fastest, at(0));
            window.ends(fastest, at(least.0 + least.1));
            now += 2_000;
            for (there, back, pause) in ways {
                now += pause;
                let id = loop {
                    answers.sort_by_key(|(when, _)| std::cmp::Reverse(*when));
                    while let Some((when, id)) = answers.pop_if(|(when, _)| *when <= now) {
                        window.ends(id, at(when));
                    }
                    match window.take(at(now)) {
                        Room::Place(id) => break id,
                        Room::At(_) | Room::Unknown => now += 1,
                    }
                };
                window.leaves(id, at(now));
                arrived.push(now + least.0 + there);
                answers.push((now + least.0 + there + back + least.1, id));
            }
            arrived.sort_unstable();
            for (i, first) in arrived.iter().enumerate() {
                let inside = arrived[i..].iter().take_while(|at| *at - first < 1000).count();
                prop_assert!(inside <= cps as usize, "{inside} of {cps}");
            }
        }
    }
}
