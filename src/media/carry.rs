//! The shell of a bridge: two connections and a clock. It waits, the bridge decides.

use super::bridge::Bridge;
use super::ends::{End, Tally, ToolCall};
use futures::{Sink, SinkExt, Stream, StreamExt};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What is left to be said gets this long when a stream is over.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What comes over a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    Text(String),
    /// The other side said that it is done, and perhaps why.
    Closed(String),
    /// The connection broke.
    Lost,
}

type Into_ = Pin<Box<dyn Stream<Item = Came> + Send>>;
type Out = Pin<Box<dyn Sink<String, Error = String> + Send>>;

/// A connection of texts, whoever made it.
pub struct Way {
    pub into: Into_,
    pub out: Out,
}

/// What became of a stream.
#[derive(Debug)]
pub struct Carried {
    pub end: End,
    pub tally: Tally,
    pub tools: Vec<ToolCall>,
    pub lasted_ms: u64,
}

/// One direction out: what was handed over may still have to leave.
struct Outgoing {
    out: Out,
    unflushed: bool,
}

impl Outgoing {
    fn new(out: Out) -> Self {
        Outgoing { out, unflushed: false }
    }

    /// Ready to take a text; or, when there is none, all that it took has left. False: the connection is gone.
    async fn ready(&mut self, text_waits: bool) -> bool {
        if text_waits {
            return poll_fn(|cx| self.out.as_mut().poll_ready(cx)).await.is_ok();
        }
        if self.unflushed {
            let left = poll_fn(|cx| self.out.as_mut().poll_flush(cx)).await.is_ok();
            self.unflushed = false;
            return left;
        }
        pending().await
    }

    fn take(&mut self, text: Option<String>) -> bool {
        let Some(text) = text else { return true };
        self.unflushed = true;
        self.out.as_mut().start_send(text).is_ok()
    }
}

/// Carries a stream to its end. `model` is being connected while the platform is listened to already.
pub async fn carry(
    mut bridge: Bridge,
    platform: Way,
    model: impl Future<Output = Result<Way, String>>,
    stopping: CancellationToken,
) -> Carried {
    let began = Instant::now();
    let now = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let Way { into: mut platform_in, out } = platform;
    let mut platform_out = Outgoing::new(out);
    let (mut model_in, mut model_out): (Option<Into_>, Option<Outgoing>) = (None, None);
    tokio::pin!(model);
    let mut connecting = true;
    while !bridge.over(now()) {
        let wake = began + Duration::from_millis(bridge.wakes_at(now()));
        let (for_platform, for_model) = (bridge.has_for_platform(), bridge.has_for_model());
        let ended = bridge.end().is_some();
        tokio::select! {
            came = platform_in.next() => match came {
                Some(Came::Text(text)) => bridge.platform_said(&text, now()),
                Some(Came::Closed(_)) => bridge.finish(End::Call, now()),
                Some(Came::Lost) | None => bridge.finish(End::CallLost, now()),
            },
            made = &mut model, if connecting => {
                connecting = false;
                match made {
                    Ok(Way { into, out }) => {
                        model_in = Some(into);
                        model_out = Some(Outgoing::new(out));
                    }
                    Err(why) => bridge.finish(End::ModelRefused(why), now()),
                }
            }
            came = next_of(&mut model_in), if !ended && bridge.listens_to_model() => match came {
                Some(Came::Text(text)) => bridge.model_said(&text, now()),
                Some(Came::Closed(why)) => bridge.finish(End::ModelClosed(why), now()),
                Some(Came::Lost) | None => bridge.finish(End::ModelLost, now()),
            },
            open = platform_out.ready(for_platform) => {
                let text = if for_platform && open { bridge.for_platform() } else { None };
                if !open || !platform_out.take(text) {
                    bridge.finish(End::CallLost, now());
                }
            }
            open = ready_of(&mut model_out, for_model), if !ended => {
                let text = if for_model && open { bridge.for_model() } else { None };
                let taken = model_out.as_mut().is_some_and(|out| out.take(text));
                if !open || !taken {
                    bridge.finish(End::ModelLost, now());
                }
            }
            () = tokio::time::sleep_until(wake) => bridge.tick(now()),
            () = stopping.cancelled(), if !ended => bridge.finish(End::Stopping, now()),
        }
    }
    let lasted_ms = now();
    let leave = async {
        // Whoever is gone hears nothing of it.
        if let Some(mut model) = model_out {
            let _gone = model.out.close().await;
        }
        while let Some(text) = bridge.for_platform() {
            if platform_out.out.send(text).await.is_err() {
                return;
            }
        }
        let _gone = platform_out.out.close().await;
    };
    let _left_or_too_late = tokio::time::timeout(CLOSE_WITHIN, leave).await;
    let end = bridge.end().cloned().unwrap_or(End::Call);
    Carried { end, tally: bridge.tally(), tools: bridge.tools().to_vec(), lasted_ms }
}

async fn next_of(model: &mut Option<Into_>) -> Option<Came> {
    match model {
        Some(model) => model.next().await,
        None => pending().await,
    }
}

async fn ready_of(model: &mut Option<Outgoing>, text_waits: bool) -> bool {
    match model {
        Some(model) => model.ready(text_waits).await,
        None => pending().await,
    }
}

#[cfg(test)]
#[path = "carry_tests.rs"]
mod tests;
