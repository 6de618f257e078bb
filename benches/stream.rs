//! A tone there and back: from a platform's socket through our bridge to the stand-in model, which says again what
//! it hears, and back. How much of it is lost, and how much later it comes than without us.
//!
//!     cargo bench --bench stream                              # half a minute of each encoding
//!     cargo bench --bench stream -- --seconds 5               # shorter
//!     cargo bench --bench stream -- --streams 50              # so many at once
//!
//! The bare way, named by `against`, is the same client speaking to the stand-in itself. Both are paced as a call is:
//! 20 ms of audio every 20 ms. Everything runs in one process and on loopback.

use axum::Router;
use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt, StreamExt};
use halo::media::{self, Bridge, Came, Encoding, Model, Plan, Way};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::future::ready;
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

const FRAME_MS: u64 = 20;
const TONE_HZ: f64 = 1_000.0;
const LOUD: f64 = 10_000.0;
/// The tone goes on for so many frames that are not judged: filters hold the last milliseconds back until more comes.
const TAIL: u64 = 5;
/// What is on its way when the tone ends.
const REST: Duration = Duration::from_secs(2);

fn model(base: &str) -> Model {
    Model { base_url: Some(base.to_owned()), name: "stand-in-echo".into(), key: "none".into(), proxy: None }
}

/// Our own door, without a call behind it.
async fn door(
    State(base): State<String>,
    Query(asked): Query<BTreeMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let encoding: Encoding = asked["encoding"].parse().expect("an encoding");
    upgrade.on_upgrade(move |socket: WebSocket| async move {
        let plan = Plan {
            instructions: String::new(),
            tools: json!([]),
            first_phrase: String::new(),
            voice: "cedar".into(),
            language: None,
            encoding,
        };
        let (out, into) = socket.split();
        let into = into.filter_map(|came| {
            ready(match came {
                Ok(Frame::Text(text)) => Some(Came::Text(text.as_str().to_owned())),
                Ok(Frame::Close(_)) => Some(Came::Closed(String::new())),
                Ok(_) => None,
                Err(_) => Some(Came::Lost),
            })
        });
        let out = out.with(|text: String| ready(Ok::<_, axum::Error>(Frame::text(text))));
        let way = Way { into: Box::pin(into), out: Box::pin(out.sink_map_err(|error| error.to_string())) };
        let bridge = Bridge::new(plan).expect("filters");
        media::carry(bridge, way, media::connect(model(&base)), CancellationToken::new()).await;
    })
}

/// Audio that came, with its moment.
struct Heard {
    samples: Vec<i16>,
    /// How many samples were there, and when.
    marks: Vec<(usize, Instant)>,
}

struct Measured {
    sent: usize,
    /// Samples that never came, and those of frames in which the tone is not heard.
    lost: usize,
    delays_ms: Vec<f64>,
    /// How much louder the tone is than everything else, in decibels.
    clean_db: f64,
}

/// Sends a tone in time and hears what comes back. `bare` speaks the model's words, otherwise the platform's.
async fn there_and_back(url: String, encoding: Encoding, seconds: u64, bare: bool) -> Measured {
    let mut request =
        tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(url).expect("an address");
    request.headers_mut().insert("authorization", "Bearer none".parse().expect("a header"));
    let (socket, _) = tokio_tungstenite::connect_async_with_config(request, None, true).await.expect("a connection");
    let (mut out, mut into) = socket.split();
    let first = if bare { "session.created" } else { "ready" };
    loop {
        let Some(Ok(Message::Text(text))) = into.next().await else { panic!("no {first}") };
        if text.contains(first) {
            break;
        }
    }
    let rate = encoding.rate();
    let size = (u64::from(rate) * FRAME_MS / 1000) as usize;
    let hearing = tokio::spawn(async move {
        let mut heard = Heard { samples: Vec::new(), marks: Vec::new() };
        while let Some(Ok(Message::Text(text))) = into.next().await {
            let told: Value = serde_json::from_str(text.as_str()).expect("JSON");
            let payload = told["media"]["payload"].as_str().or_else(|| told["delta"].as_str());
            if let Some(payload) = payload {
                heard.samples.extend(encoding.decode(&STANDARD.decode(payload).expect("base64")));
                heard.marks.push((heard.samples.len(), Instant::now()));
            }
        }
        heard
    });
    if !bare {
        let format = json!({ "encoding": encoding.as_str(), "sampleRate": rate });
        let start =
            json!({ "event": "start", "sequenceNumber": 0, "start": { "mediaFormat": format, "tag": "bench" } });
        out.send(Message::text(start.to_string())).await.expect("sent");
    }
    let frames = seconds * 1000 / FRAME_MS;
    let step = TAU * TONE_HZ / f64::from(rate);
    let began = Instant::now();
    let mut left_at = Vec::new();
    for nth in 0..frames + TAIL {
        let from = nth as usize * size;
        let samples: Vec<i16> = (from..from + size).map(|n| (LOUD * (step * n as f64).sin()) as i16).collect();
        let payload = STANDARD.encode(encoding.encode(&samples));
        let frame = if bare {
            json!({ "type": "input_audio_buffer.append", "audio": payload })
        } else {
            json!({ "event": "media", "sequenceNumber": nth + 1,
                "media": { "chunk": nth, "timestamp": from, "payload": payload, "tag": "bench" } })
        };
        tokio::time::sleep_until(began + Duration::from_millis(nth * FRAME_MS)).await;
        if nth < frames {
            left_at.push(Instant::now());
        }
        out.send(Message::text(frame.to_string())).await.expect("sent");
    }
    tokio::time::sleep(REST).await;
    out.close().await.expect("a goodbye");
    let heard = hearing.await.expect("heard");
    let mut marks = heard.marks.iter().peekable();
    let mut delays_ms = Vec::new();
    for (nth, left) in left_at.iter().enumerate() {
        let whole = (nth + 1) * size;
        while marks.next_if(|(count, _)| *count < whole).is_some() {}
        if let Some((_, came)) = marks.peek() {
            delays_ms.push(came.duration_since(*left).as_secs_f64() * 1000.0);
        }
    }
    delays_ms.sort_by(f64::total_cmp);
    Measured {
        sent: frames as usize * size,
        lost: lost(&heard.samples, frames as usize * size, size, step),
        delays_ms,
        clean_db: clean(&heard.samples, step),
    }
}

/// Silence in the tone's place is a loss too.
fn lost(samples: &[i16], sent: usize, size: usize, step: f64) -> usize {
    let heard = samples.chunks_exact(size).take(sent / size).filter(|frame| {
        let (sines, cosines) = frame.iter().enumerate().fold((0.0, 0.0), |(sines, cosines), (n, sample)| {
            let (sine, cosine) = (step * n as f64).sin_cos();
            (sines + f64::from(*sample) * sine, cosines + f64::from(*sample) * cosine)
        });
        f64::hypot(sines, cosines) * 2.0 / size as f64 > LOUD / 2.0
    });
    sent.saturating_sub(heard.count() * size)
}

fn clean(samples: &[i16], step: f64) -> f64 {
    let middle = &samples[samples.len() / 10..samples.len() * 9 / 10];
    let (mut sines, mut cosines) = (0.0, 0.0);
    for (n, sample) in middle.iter().enumerate() {
        let (sine, cosine) = (step * n as f64).sin_cos();
        sines += f64::from(*sample) * sine;
        cosines += f64::from(*sample) * cosine;
    }
    let count = middle.len() as f64;
    let (a, b) = (2.0 * sines / count, 2.0 * cosines / count);
    let noise = middle.iter().enumerate().fold(0.0, |sum, (n, sample)| {
        let (sine, cosine) = (step * n as f64).sin_cos();
        sum + (f64::from(*sample) - a * sine - b * cosine).powi(2)
    });
    10.0 * ((a * a + b * b) / 2.0 / (noise / count)).log10()
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

async fn all(url: &str, encoding: Encoding, seconds: u64, streams: u64, bare: bool) -> Measured {
    let one = || tokio::spawn(there_and_back(url.to_owned(), encoding, seconds, bare));
    let running: Vec<_> = (0..streams).map(|_| one()).collect();
    let mut sum = Measured { sent: 0, lost: 0, delays_ms: Vec::new(), clean_db: f64::INFINITY };
    for stream in running {
        let measured = stream.await.expect("a stream");
        sum.sent += measured.sent;
        sum.lost += measured.lost;
        sum.delays_ms.extend(measured.delays_ms);
        sum.clean_db = sum.clean_db.min(measured.clean_db);
    }
    sum.delays_ms.sort_by(f64::total_cmp);
    sum
}

#[tokio::main]
async fn main() {
    let (mut seconds, mut streams) = (30, 1);
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut number = || given.next().and_then(|text| text.parse::<u64>().ok()).expect("a number behind the option");
        match name.as_str() {
            "--seconds" => seconds = number(),
            "--streams" => streams = number(),
            "--bench" => {}
            other => panic!("there is no option {other}"),
        }
    }
    let simulator = halo::simulator::start(halo::simulator::Settings::default()).await.expect("loopback is free");
    let base = format!("http://{}/v1", simulator.address());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/media", get(door)).with_state(base.clone());
    let listener = axum::serve::ListenerExt::tap_io(listener, |tcp| {
        let _slower = tcp.set_nodelay(true);
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let bare_url = format!("ws://{}/v1/realtime?model=stand-in-echo", simulator.address());
    let bare = all(&bare_url, Encoding::Ulaw, seconds, streams, true).await;
    let bare_ms = quantile(&bare.delays_ms, 0.5);
    for encoding in [Encoding::Ulaw, Encoding::Alaw, Encoding::Pcm8, Encoding::Pcm16] {
        let url = format!("ws://{address}/media?encoding={}", encoding.as_str());
        let measured = all(&url, encoding, seconds, streams, false).await;
        let lost = 100.0 * measured.lost as f64 / measured.sent as f64;
        let name = encoding.as_str().to_lowercase();
        let median = quantile(&measured.delays_ms, 0.5);
        for (metric, value, unit) in [
            ("loss", lost, "%"),
            ("delay_p50", median, "ms"),
            ("delay_p99", quantile(&measured.delays_ms, 0.99), "ms"),
            ("tone_over_noise", measured.clean_db, "dB"),
        ] {
            let line = json!({ "bench": "stream", "metric": format!("{name}_{metric}"), "value": value, "unit": unit, "streams": streams });
            println!("{line}");
        }
        let added = json!({ "bench": "stream", "metric": format!("{name}_added_p50"), "value": median - bare_ms, "unit": "ms",
            "against": format!("the stand-in spoken to directly: {bare_ms:.2} ms"), "streams": streams });
        println!("{added}");
    }
    simulator.stop().await;
}
