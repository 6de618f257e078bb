//! The shell of a bridge between two connections that the test holds: who breaks off, who takes nothing.

use super::*;
use crate::media::encoding::Encoding;
use crate::media::words::Plan;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    All,
    Nothing,
    Breaks,
}

/// The other end of a connection.
#[derive(Clone)]
struct Peer {
    says: UnboundedSender<Came>,
    held: Arc<Mutex<(Takes, Vec<String>)>>,
}

impl Peer {
    fn new() -> (Peer, UnboundedReceiver<Came>) {
        let (says, heard) = unbounded();
        (Peer { says, held: Arc::new(Mutex::new((Takes::All, Vec::new()))) }, heard)
    }

    fn held(&self) -> MutexGuard<'_, (Takes, Vec<String>)> {
        self.held.lock().expect("no test panics while it holds this")
    }

    fn takes(&self, takes: Takes) {
        self.held().0 = takes;
    }

    fn say(&self, told: Value) {
        self.came(Came::Text(told.to_string()));
    }

    fn came(&self, came: Came) {
        self.says.unbounded_send(came).expect("the stream listens");
    }

    fn heard(&self) -> Vec<Value> {
        let (_, left) = &mut *self.held();
        left.drain(..).map(|text| serde_json::from_str(&text).expect("JSON")).collect()
    }

    fn way(&self, heard: impl Stream<Item = Came> + Send + 'static) -> Way {
        Way { into: Box::pin(heard), out: Box::pin(self.clone()) }
    }
}

impl Sink<String> for Peer {
    type Error = String;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        match self.held().0 {
            Takes::All => Poll::Ready(Ok(())),
            Takes::Nothing => Poll::Pending,
            Takes::Breaks => Poll::Ready(Err("broken".into())),
        }
    }

    fn start_send(self: Pin<&mut Self>, text: String) -> Result<(), String> {
        self.held().1.push(text);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }
}

fn bridge() -> Bridge {
    let plan = Plan {
        instructions: String::new(),
        tools: json!([]),
        first_phrase: "Hello!".into(),
        voice: "cedar".into(),
        language: None,
        encoding: Encoding::Ulaw,
    };
    Bridge::new(plan).expect("filters")
}

type Carrying = Pin<Box<dyn Future<Output = Carried>>>;

/// Goes on until nothing more happens. What happens here needs no time, so a number of looks is enough.
async fn on(carrying: &mut Carrying) -> Option<Carried> {
    for _ in 0..100 {
        if let Poll::Ready(carried) = futures::poll!(&mut *carrying) {
            return Some(carried);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// A stream whose model stands and whose call is answered.
async fn begun(
    platform: &Peer,
    heard: UnboundedReceiver<Came>,
    model: &Peer,
    way: Way,
) -> (Carrying, CancellationToken) {
    let stopping = CancellationToken::new();
    let connected = std::future::ready(Ok(way));
    let mut carrying: Carrying = Box::pin(carry(bridge(), platform.way(heard), connected, stopping.clone()));
    model.say(json!({ "type": "session.created" }));
    model.say(json!({ "type": "session.updated" }));
    platform.say(json!({ "customEvent": "begin", "greeting": "Hello!" }));
    platform.say(json!({ "event": "start", "start": { "mediaFormat": { "encoding": "ULAW", "sampleRate": 8000 } } }));
    assert!(on(&mut carrying).await.is_none(), "it goes on");
    assert_eq!(platform.heard(), [json!({ "customEvent": "ready" })]);
    (carrying, stopping)
}

/// Taken out: each branch of `carry` by itself, and the first reason in `Bridge::finish`.
#[tokio::test]
async fn whoever_breaks_off_is_known_on_either_side() {
    type Break = fn(&Peer, &Peer, &CancellationToken);
    let breaks: [(&str, &str, Break); 9] = [
        ("call", "", |platform, _, _| platform.came(Came::Closed("1000".into()))),
        ("call_lost", "", |platform, _, _| platform.came(Came::Lost)),
        ("call_lost", "", |platform, _, _| platform.says.close_channel()),
        ("call_lost", "", |platform, model, _| {
            platform.takes(Takes::Breaks);
            model.say(json!({ "type": "input_audio_buffer.speech_started" }));
        }),
        ("model_closed", "1011 internal error", |_, model, _| model.came(Came::Closed("1011 internal error".into()))),
        ("model_lost", "", |_, model, _| model.came(Came::Lost)),
        ("model_lost", "", |_, model, _| model.says.close_channel()),
        ("model_lost", "", |platform, model, _| {
            model.takes(Takes::Breaks);
            let payload = STANDARD.encode([0x11_u8; 160]);
            platform.say(json!({ "event": "media", "media": { "chunk": 1, "payload": payload } }));
        }),
        ("stopping", "", |_, _, stopping| stopping.cancel()),
    ];
    for (nth, (ended_by, reason, breaks)) in breaks.into_iter().enumerate() {
        let ((platform, heard), (model, told)) = (Peer::new(), Peer::new());
        let (mut carrying, stopping) = begun(&platform, heard, &model, model.way(told)).await;
        breaks(&platform, &model, &stopping);
        let carried = match on(&mut carrying).await {
            Some(carried) => carried,
            // A fault of ours: the scenario is told, says goodbye, and closes.
            None => {
                let words = platform.heard();
                let [fault] = &words[..] else { panic!("{nth}: one word and no more") };
                let told = fault["reason"].as_str().unwrap_or_default();
                assert!(fault["customEvent"] == "fault" && told.starts_with(ended_by), "{nth}: {fault}");
                platform.came(Came::Closed("1000".into()));
                on(&mut carrying).await.expect("it is over")
            }
        };
        assert_eq!((carried.end.as_str(), carried.end.reason()), (ended_by, reason), "{nth}");
    }
}

#[tokio::test]
async fn a_model_that_cannot_be_reached_is_told_and_no_words_are_kept_for_it() {
    let (platform, heard) = Peer::new();
    let connected = std::future::ready(Err("HTTP 401".to_owned()));
    let mut carrying: Carrying = Box::pin(carry(bridge(), platform.way(heard), connected, CancellationToken::new()));
    assert!(on(&mut carrying).await.is_none());
    assert_eq!(platform.heard(), [json!({ "customEvent": "fault", "reason": "model_refused: HTTP 401" })]);
    platform.came(Came::Closed(String::new()));
    assert_eq!(on(&mut carrying).await.expect("it is over").end, End::ModelRefused("HTTP 401".into()));
}

/// Taken out: `listens_to_model` before the model is heard.
#[tokio::test]
async fn a_platform_that_takes_nothing_holds_the_model_back() {
    let ((platform, heard), (model, told)) = (Peer::new(), Peer::new());
    let read = Arc::new(Mutex::new(0));
    let counted = read.clone();
    let told = told.inspect(move |_| *counted.lock().expect("a number") += 1);
    let (mut carrying, _stopping) = begun(&platform, heard, &model, model.way(told)).await;
    platform.takes(Takes::Nothing);
    model.say(json!({ "type": "response.created", "response": { "id": "r1" } }));
    // Ten minutes of speech, a second at a time.
    for _ in 0..600 {
        let delta = STANDARD.encode([0x7f_u8; 8_000]);
        model.say(
            json!({ "type": "response.output_audio.delta", "response_id": "r1", "item_id": "i1", "delta": delta }),
        );
    }
    assert!(on(&mut carrying).await.is_none());
    // Three words stand before them.
    let seconds = *read.lock().expect("a number") - 3;
    assert!((64..=67).contains(&seconds), "{seconds} s were read: a minute that waits, and five seconds that are sent");
    platform.takes(Takes::All);
    platform.came(Came::Closed(String::new()));
    assert_eq!(on(&mut carrying).await.expect("it is over").end, End::Call);
}

/// Taken out: the limit of `Outbox`.
#[tokio::test]
async fn a_model_that_takes_nothing_is_not_told_what_is_long_past() {
    let ((platform, heard), (model, told)) = (Peer::new(), Peer::new());
    let (mut carrying, _stopping) = begun(&platform, heard, &model, model.way(told)).await;
    model.heard();
    model.takes(Takes::Nothing);
    for chunk in 1..=500 {
        let payload = STANDARD.encode([0x11_u8; 160]);
        platform.say(json!({ "event": "media", "media": { "chunk": chunk, "payload": payload } }));
    }
    assert!(on(&mut carrying).await.is_none());
    model.takes(Takes::All);
    // The next frame wakes it.
    platform.say(json!({ "event": "media", "media": { "chunk": 501, "payload": STANDARD.encode([0x11_u8; 160]) } }));
    assert!(on(&mut carrying).await.is_none());
    assert!((100..=101).contains(&model.heard().len()), "the last two seconds and the frame after them");
    platform.came(Came::Closed(String::new()));
    let tally = on(&mut carrying).await.expect("it is over").tally;
    assert_eq!(tally.heard_ms, 10_020);
    assert!((8_000..=8_020).contains(&tally.dropped_ms), "{} ms", tally.dropped_ms);
}
