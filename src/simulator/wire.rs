//! How scenarios' requests leave, what each costs on its session's clock, and how far that is from the
//! truth.
//!
//! *Reported*: the server says what it took. *Measured*: a thread of its own carries the requests, so
//! that what scenarios burn elsewhere is not counted as the server's. Both are always taken, and their
//! difference is told at `/simulator/clock`.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::simulator::clock::{MS, Micros};
use crate::simulator::options::RequestCost;

/// What a request costs when the server declares nothing.
pub const COST_UNDECLARED: Micros = 2 * MS;
/// The way there and back, on top of what a server declares.
const COST_OF_WAY: Micros = 500;
/// Newest differences kept for the figures.
const KEPT_MAX: usize = 10_000;

#[derive(Clone)]
pub struct Wire {
    pub client: reqwest::Client,
    cost: RequestCost,
    /// Where requests are carried when their time is measured.
    io: Option<Handle>,
    meter: Arc<Mutex<Meter>>,
}

#[derive(Default)]
struct Meter {
    exchanges: u64,
    undeclared: u64,
    timeouts: u64,
    /// Measured minus reported, in microseconds; may be negative.
    distortions: VecDeque<i64>,
}

impl Wire {
    /// Requests are carried by `io` when there is one, else by whoever asks.
    pub fn new(client: reqwest::Client, cost: RequestCost, io: Option<Handle>) -> Self {
        Self { client, cost, io, meter: Arc::default() }
    }

    /// Does the work where requests are carried, and says how long it really took. None: the work ran
    /// out of its time, or the simulator stops.
    pub async fn timed<T: Send + 'static>(
        &self,
        wait: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> (Option<T>, Duration) {
        let timed = async move {
            let began = Instant::now();
            let done = tokio::time::timeout(wait, work).await.ok();
            (done, began.elapsed())
        };
        let (done, took) = match &self.io {
            Some(io) => io.spawn(timed).await.unwrap_or((None, wait)),
            None => timed.await,
        };
        if done.is_none() {
            self.meter().timeouts += 1;
        }
        (done, took)
    }

    /// What an exchange costs on the session's clock.
    pub fn cost(&self, declared: Option<Micros>, took: Duration) -> Micros {
        let measured = Micros::try_from(took.as_micros()).unwrap_or(Micros::MAX);
        let reported = declared.map_or(COST_UNDECLARED, |declared| declared.saturating_add(COST_OF_WAY));
        self.meter().note(declared.is_some(), measured.cast_signed().saturating_sub(reported.cast_signed()));
        match self.cost {
            RequestCost::Reported => reported,
            RequestCost::Measured => measured,
        }
    }

    /// `/simulator/clock`. Milliseconds; percentiles over the newest ten thousand declared exchanges.
    pub fn told(&self) -> Value {
        let meter = self.meter();
        let mut sorted: Vec<i64> = meter.distortions.iter().copied().collect();
        sorted.sort_unstable();
        let mut told = json!({
            "request_cost": match self.cost {
                RequestCost::Reported => "reported",
                RequestCost::Measured => "measured",
            },
            "exchanges": meter.exchanges, "undeclared": meter.undeclared, "timeouts": meter.timeouts,
        });
        if let Some(last) = sorted.len().checked_sub(1) {
            let at = |share: f64| sorted[(last as f64 * share).round() as usize] as f64 / MS as f64;
            told["distortion_ms"] = json!({ "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0) });
        }
        told
    }

    fn meter(&self) -> std::sync::MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meter {
    fn note(&mut self, declared: bool, distortion: i64) {
        self.exchanges += 1;
        if !declared {
            self.undeclared += 1;
            return;
        }
        if self.distortions.len() == KEPT_MAX {
            self.distortions.pop_front();
        }
        self.distortions.push_back(distortion);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(cost: RequestCost) -> Wire {
        // Another test may have chosen one already.
        let _already_chosen = rustls::crypto::ring::default_provider().install_default();
        Wire::new(reqwest::Client::new(), cost, None)
    }

    #[test]
    fn a_request_costs_what_is_declared_or_what_it_took() {
        let took = Duration::from_millis(30);
        let reported = wire(RequestCost::Reported);
        assert_eq!(reported.cost(Some(20 * MS), took), 20 * MS + COST_OF_WAY);
        assert_eq!(reported.cost(None, took), COST_UNDECLARED);
        assert_eq!(wire(RequestCost::Measured).cost(Some(20 * MS), took), 30 * MS);
        assert_eq!(wire(RequestCost::Measured).cost(None, took), 30 * MS);
    }

    #[test]
    fn the_distortion_is_measured_minus_reported() {
        let wire = wire(RequestCost::Reported);
        for took_ms in 1..=100 {
            wire.cost(Some(0), Duration::from_micros(took_ms * MS + COST_OF_WAY));
        }
        wire.cost(None, Duration::from_secs(9));
        let told = wire.told();
        assert_eq!((&told["exchanges"], &told["undeclared"]), (&json!(101), &json!(1)));
        assert_eq!(told["distortion_ms"], json!({ "p50": 51.0, "p95": 95.0, "p99": 99.0, "max": 100.0 }));
    }

    #[tokio::test]
    async fn what_hangs_is_given_up() {
        let wire = wire(RequestCost::Measured);
        let (done, took) = wire.timed(Duration::from_millis(5), std::future::pending::<()>()).await;
        assert!(done.is_none() && took >= Duration::from_millis(5));
        assert_eq!(wire.told()["timeouts"], 1);
    }
}
