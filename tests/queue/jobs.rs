//! Jobs: nudges that come at least once.

use crate::both_engines;
use crate::common::{Bench, Engine, until};
use apalis_core::backend::ext::poll_strategy::{PollSnapshot, PollStrategy};
use halo::domain::AttemptId;
use halo::queue::{Handler, QUEUE, Ticks, prepare, push, work};
use halo::store::Planned;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

both_engines! {
    jobs_pushed_in_bulk_run_once_each
    a_second_nudge_is_not_lost
    a_panicking_handler_does_not_stop_the_worker
    a_new_worker_takes_what_a_dead_one_held
    a_worker_that_stops_lets_its_handlers_end
    done_rows_are_pruned
}

type Ran = Arc<Mutex<BTreeMap<i64, usize>>>;

/// Counts what ran; `before` may panic or wait.
fn counting(before: impl Fn(i64) + Send + Sync + 'static) -> (Ran, Handler) {
    let ran = Ran::default();
    let seen = ran.clone();
    let before = Arc::new(before);
    let handler: Handler = Arc::new(move |attempt| {
        let (seen, before) = (seen.clone(), before.clone());
        Box::pin(async move {
            before(attempt.0);
            *seen.lock().unwrap().entry(attempt.0).or_default() += 1;
        })
    });
    (ran, handler)
}

fn total(ran: &Ran) -> usize {
    ran.lock().unwrap().values().sum()
}

struct Worker {
    stop: CancellationToken,
    running: JoinHandle<()>,
}

fn start(bench: &Bench, node: &'static str, handler: Handler) -> Worker {
    let stop = CancellationToken::new();
    let (db, stopped) = (bench.store.db().clone(), stop.clone());
    let running = tokio::spawn(async move { work(db, node, handler, stopped).await });
    Worker { stop, running }
}

impl Worker {
    async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

fn planned(attempts: std::ops::Range<i64>) -> Vec<Planned> {
    attempts.map(|n| Planned { attempt: AttemptId(n), slot_us: 0 }).collect()
}

fn jobs(bench: &Bench) -> &'static str {
    if bench.engine == Engine::Sqlite { "Jobs" } else { "apalis.jobs" }
}

async fn waiting(bench: &Bench, so: &str) -> i64 {
    bench.queue_number(&format!("select count(*) from {} where {so}", jobs(bench))).await
}

/// More than one batch, more than the handlers there are.
async fn jobs_pushed_in_bulk_run_once_each(bench: Bench) {
    prepare(bench.store.db()).await.unwrap();
    let (ran, handler) = counting(|_| {});
    let worker = start(&bench, "bulk", handler);
    for bulk in 0..3 {
        push(bench.store.db(), &planned(bulk * 1000..(bulk + 1) * 1000)).await.unwrap();
    }
    push(bench.store.db(), &[]).await.unwrap();
    until("3000 jobs", async || total(&ran) >= 3000).await;
    until("every row is acknowledged", async || waiting(&bench, "status <> 'Done'").await == 0).await;
    worker.stop().await;
    let ran = ran.lock().unwrap();
    assert!(ran.len() == 3000 && ran.values().all(|times| *times == 1));
}

/// The trap: with an idempotency key SQLite drops the second nudge in silence while the first row is
/// there, and PostgreSQL refuses the whole bulk.
async fn a_second_nudge_is_not_lost(bench: Bench) {
    prepare(bench.store.db()).await.unwrap();
    push(bench.store.db(), &planned(1..3)).await.unwrap();
    push(bench.store.db(), &planned(2..4)).await.unwrap();
    let (ran, handler) = counting(|_| {});
    let worker = start(&bench, "nudge", handler);
    until("4 jobs", async || total(&ran) == 4).await;
    worker.stop().await;
    assert_eq!(*ran.lock().unwrap(), BTreeMap::from([(1, 1), (2, 2), (3, 1)]));
}

/// The traps: a panic ends the worker; `catch_panic` saves that, but acknowledges nothing, so that the row
/// runs again after every restart; an `Err` is retried at once, up to 25 times. The guard: `place_call`
/// catches it itself and is done.
async fn a_panicking_handler_does_not_stop_the_worker(bench: Bench) {
    prepare(bench.store.db()).await.unwrap();
    let tried = Arc::new(Mutex::new(0));
    let counted = tried.clone();
    let (ran, handler) = counting(move |attempt| {
        if attempt % 10 == 3 {
            *counted.lock().unwrap() += 1;
            panic!("a fault of ours, wanted here");
        }
    });
    let worker = start(&bench, "panic", handler);
    push(bench.store.db(), &planned(0..50)).await.unwrap();
    until("the others run", async || total(&ran) == 45).await;
    push(bench.store.db(), &planned(100..101)).await.unwrap();
    until("the worker goes on", async || total(&ran) == 46).await;
    until("every row is acknowledged", async || waiting(&bench, "status <> 'Done'").await == 0).await;
    worker.stop().await;
    assert_eq!(*tried.lock().unwrap(), 5, "a job that panicked is not tried again");
}

/// Delivery is at least once: the row of a dead worker is handed to a living one.
async fn a_new_worker_takes_what_a_dead_one_held(bench: Bench) {
    prepare(bench.store.db()).await.unwrap();
    push(bench.store.db(), &planned(1..4)).await.unwrap();
    let (workers, long_ago) = match bench.engine {
        Engine::Sqlite => ("Workers", "1"),
        Engine::Postgres => ("apalis.workers", "now() - interval '1 hour'"),
    };
    let row = format!(
        "insert into {workers} (id, worker_type, storage_name, layers, last_seen)
         values ('dead', '{QUEUE}', 'x', '', {long_ago})"
    );
    bench.execute_in_queue(&row).await.unwrap();
    let held = format!("update {} set status = 'Running', lock_by = 'dead', attempts = 0", jobs(&bench));
    assert_eq!(bench.execute_in_queue(&held).await.unwrap(), 3);
    let (ran, handler) = counting(|_| {});
    let worker = start(&bench, "heir", handler);
    until("3 jobs of a dead worker", async || total(&ran) >= 3).await;
    worker.stop().await;
    assert!(ran.lock().unwrap().keys().eq([1, 2, 3].iter()));
}

async fn a_worker_that_stops_lets_its_handlers_end(bench: Bench) {
    prepare(bench.store.db()).await.unwrap();
    let (begun, ended) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let open = CancellationToken::new();
    let handler: Handler = {
        let (begun, ended, open) = (begun.clone(), ended.clone(), open.clone());
        Arc::new(move |_| {
            let (begun, ended, open) = (begun.clone(), ended.clone(), open.clone());
            Box::pin(async move {
                *begun.lock().unwrap() += 1;
                open.cancelled().await;
                *ended.lock().unwrap() += 1;
            })
        })
    };
    let worker = start(&bench, "first", handler);
    push(bench.store.db(), &planned(0..20)).await.unwrap();
    until("20 handlers wait", async || *begun.lock().unwrap() == 20).await;
    worker.stop.cancel();
    open.cancel();
    worker.running.await.unwrap();
    assert_eq!(*ended.lock().unwrap(), 20);
    // Pushed while nobody works: the next worker of this machine begins where the last one was.
    push(bench.store.db(), &planned(100..110)).await.unwrap();
    let (ran, handler) = counting(|_| {});
    let worker = start(&bench, "second", handler);
    until("10 jobs after the restart", async || total(&ran) >= 10).await;
    worker.stop().await;
}

/// The trap: `vacuum_before` ignores the age and runs VACUUM; nothing else ever deletes a row.
async fn done_rows_are_pruned(bench: Bench) {
    prepare(bench.store.db()).await.unwrap();
    push(bench.store.db(), &planned(0..100)).await.unwrap();
    let (ran, handler) = counting(|_| {});
    let worker = start(&bench, "pruned", handler);
    until("100 jobs", async || total(&ran) == 100).await;
    until("no row is left", async || waiting(&bench, "1 = 1").await == 0).await;
    worker.stop().await;
}

/// Remembers that it was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The trap: apalis's own strategies can return without having kept the waker, and sleep until a heartbeat.
/// The guard: the interval is polled until it is pending, so that whoever got a tick is woken for the next.
#[tokio::test]
async fn ticks_cannot_lose_the_wake_up() {
    let mut ticks = Ticks::every(Duration::from_millis(2));
    for _ in 0..20 {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut cx = Context::from_waker(&waker);
        until("a tick", async || ticks.poll_drive(&mut cx, &PollSnapshot::default()).is_ready()).await;
        woken.0.store(false, Ordering::SeqCst);
        // Nobody polls it again: that is what the waker is for.
        until("the waker is called", async || woken.0.load(Ordering::SeqCst)).await;
    }
}
