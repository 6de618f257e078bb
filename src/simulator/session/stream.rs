//! Audio over a scenario's WebSocket, in both directions: what a unit says goes out in frames of 20 ms, what the
//! peer sends is kept for ten seconds at most, played, and heard by whoever is attached.
//!
//! A session that carries audio runs in real time from then on, whatever the simulator's speed: its peer does.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::simulator::audio::law::Law;
use crate::simulator::audio::modem::{Decoder, utter};
use crate::simulator::callee::talk::Heard;
use crate::simulator::clock::{MS, Micros, SECOND};
use crate::simulator::openai::{base64, unbase64};
use crate::simulator::session::media::{Kind, Voice};
use crate::simulator::session::socket::Say;
use crate::simulator::session::world::{Act, Handle, World};

const FRAME_MS: u64 = 20;
/// As on the platform: what does not fit is thrown away.
const BUFFER_MS: u64 = 10_000;
/// Mean magnitude of a frame in which somebody speaks.
const LOUD: u64 = 400;
/// So many quiet frames end a phrase: less is a hiccup of the network.
const QUIET_FRAMES: u32 = 5;
/// The platform says that media ended when none came for this long.
const ENDS_AFTER: Micros = SECOND;
/// How long a phrase is taken to be whose length was not understood.
const UNKNOWN_LASTS: Micros = 3 * SECOND;

/// What a socket carries of audio.
#[derive(Default)]
pub struct Stream {
    out: Option<Line>,
    into: Option<Player>,
    sequence: u64,
    ticking: bool,
}

/// A unit's audio on its way to the peer.
struct Line {
    law: Law,
    tag: String,
    chunk: u64,
    samples: u64,
    bytes: u64,
    since: Micros,
    speech: Vec<i16>,
    said: usize,
}

/// The peer's audio on its way to who is attached.
struct Player {
    law: Law,
    tag: Value,
    open: bool,
    buffer: VecDeque<i16>,
    decoder: Decoder,
    speaking: bool,
    quiet: u32,
    last_at: Micros,
    discarded: u64,
}

fn law_of(encoding: &str, rate: Option<u64>) -> Option<Law> {
    match (encoding, rate) {
        ("ULAW" | "audio/x-mulaw", _) => Some(Law::Ulaw),
        ("ALAW", _) => Some(Law::Alaw),
        ("PCM8", _) | ("PCM16", Some(8_000)) => Some(Law::Linear(8_000)),
        ("PCM16", _) => Some(Law::Linear(16_000)),
        _ => None,
    }
}

impl World {
    fn stream(&mut self, socket: Handle) -> Option<&mut Stream> {
        match &mut self.unit(socket)?.kind {
            Kind::Socket(socket) => Some(&mut socket.stream),
            _ => None,
        }
    }

    fn frame(&mut self, socket: Handle, event: &str, told: Value) {
        if let Some(Kind::Socket(it)) = self.unit(socket).map(|unit| &mut unit.kind) {
            let frame = json!({ "event": event, "sequenceNumber": it.stream.sequence, event: told });
            it.stream.sequence += 1;
            if !it.say(Say::Text(frame.to_string())) {
                self.record.note(self.now, "a peer does not take its audio: a frame is lost");
            }
        }
    }

    /// Frames leave every 20 ms from now on.
    fn tick_soon(&mut self, socket: Handle) {
        if self.stream(socket).is_some_and(|stream| !std::mem::replace(&mut stream.ticking, true)) {
            self.after(0, Act::SocketTick(socket));
        }
    }

    /// Media begin to flow to the peer: it is told the form of it.
    pub fn socket_media_begins(&mut self, socket: Handle, parameters: &Value) {
        let (now, encoding) = (self.now, parameters["encoding"].as_str().unwrap_or("PCM16").to_owned());
        let Some(law) = law_of(&encoding, None) else {
            self.record.note(now, &format!("no audio is sent as {encoding}"));
            return;
        };
        let tag = parameters["tag"].as_str().unwrap_or_default().to_owned();
        // PCM at 8 kHz has a name of its own only in the scenario's interface.
        let shown = if encoding == "PCM8" { "PCM16" } else { &encoding };
        let format = json!({ "encoding": shown, "sampleRate": law.rate() });
        let mut start = json!({ "mediaFormat": format, "tag": tag });
        if !parameters["customParameters"].is_null() {
            start["customParameters"] = json!(parameters["customParameters"].to_string());
        }
        let line = Line { law, tag, chunk: 0, samples: 0, bytes: 0, since: now, speech: Vec::new(), said: 0 };
        if let Some(stream) = self.stream(socket) {
            stream.out = Some(line);
        }
        self.frame(socket, "start", start);
        self.tick_soon(socket);
    }

    pub fn socket_media_ends(&mut self, socket: Handle) {
        let now = self.now;
        let Some(line) = self.stream(socket).and_then(|stream| stream.out.take()) else { return };
        let info = json!({ "bytesSent": line.bytes, "duration": (now - line.since) / SECOND });
        self.frame(socket, "stop", json!({ "mediaInfo": info, "tag": line.tag }));
    }

    /// Somebody attached to the socket begins to speak.
    pub fn socket_hears_begin(&mut self, socket: Handle, text: &str, lasts: Micros) {
        if let Some(line) = self.stream(socket).and_then(|stream| stream.out.as_mut()) {
            line.speech = utter(text, lasts / MS, line.law.rate());
            line.said = 0;
        }
    }

    pub fn socket_hears_end(&mut self, socket: Handle) {
        if let Some(line) = self.stream(socket).and_then(|stream| stream.out.as_mut()) {
            // What is left of the frame's last moment is said.
            let rest = line.said + line.law.samples_of_ms(FRAME_MS);
            line.speech.truncate(rest);
        }
    }

    /// A frame of the peer's; the answer is the event that the scenario hears of it.
    pub fn socket_frame(&mut self, socket: Handle, frame: &Value) -> Option<(&'static str, Value)> {
        let now = self.now;
        match frame["event"].as_str()? {
            "start" => {
                let (start, format) = (&frame["start"], &frame["start"]["mediaFormat"]);
                let encoding = format["encoding"].as_str().unwrap_or_default();
                match law_of(encoding, format["sampleRate"].as_u64()) {
                    Some(law) => self.player_for(socket, law, &start["tag"]),
                    None => self.record.note(now, &format!("audio as {encoding} is not played")),
                }
                let told = json!({
                    "encoding": format["encoding"], "tag": start["tag"], "customParameters": start["customParameters"],
                });
                Some(("WebSocket.MediaStarted", told))
            }
            "media" => {
                self.take_media(socket, &frame["media"]);
                None
            }
            "stop" => {
                if let Some(player) = self.stream(socket).and_then(|stream| stream.into.as_mut()) {
                    player.open = false;
                }
                let told = json!({ "tag": frame["stop"]["tag"], "mediaInfo": frame["stop"]["mediaInfo"] });
                Some(("WebSocket.MediaEnded", told))
            }
            _ => None,
        }
    }

    fn player_for(&mut self, socket: Handle, law: Law, tag: &Value) {
        let now = self.now;
        let Some(stream) = self.stream(socket) else { return };
        match &mut stream.into {
            Some(player) if player.law == law => {
                player.open = true;
                player.last_at = now;
            }
            into => {
                *into = Some(Player {
                    law,
                    tag: tag.clone(),
                    open: true,
                    buffer: VecDeque::new(),
                    decoder: Decoder::new(law.rate()),
                    speaking: false,
                    quiet: 0,
                    last_at: now,
                    discarded: 0,
                });
            }
        }
    }

    fn take_media(&mut self, socket: Handle, media: &Value) {
        let now = self.now;
        let Some(player) = self.stream(socket).and_then(|stream| stream.into.as_mut()) else { return };
        let Some(bytes) = media["payload"].as_str().and_then(unbase64) else { return };
        let samples = player.law.decode(&bytes);
        let room = player.law.samples_of_ms(BUFFER_MS) - player.buffer.len();
        let taken = &samples[..samples.len().min(room)];
        player.decoder.hear(taken);
        player.buffer.extend(taken);
        player.last_at = now;
        player.discarded += (samples.len() - taken.len()) as u64;
        if samples.len() > room {
            self.record.note(now, "the buffer of 10 s is full: audio is thrown away");
        }
        self.tick_soon(socket);
    }

    /// `clearMediaBuffer`: what was not played is not played any more.
    pub fn socket_clears(&mut self, socket: Handle) {
        if let Some(player) = self.stream(socket).and_then(|stream| stream.into.as_mut()) {
            player.buffer.clear();
            self.phrase_over(socket);
        }
    }

    pub fn socket_tick(&mut self, socket: Handle) {
        self.say_frame(socket);
        self.play_frame(socket);
        let now = self.now;
        let Some(stream) = self.stream(socket) else { return };
        let plays = stream.into.as_ref().is_some_and(|it| it.open || it.speaking || !it.buffer.is_empty());
        if stream.out.is_none() && !plays {
            stream.ticking = false;
            return;
        }
        // Nothing came for a second, and nobody said that it was over.
        let ended = stream.into.as_mut().filter(|it| it.open && it.buffer.is_empty() && now >= it.last_at + ENDS_AFTER);
        if let Some(player) = ended {
            player.open = false;
            let tag = player.tag.clone();
            self.deliver(socket, "WebSocket.MediaEnded", json!({ "tag": tag, "mediaInfo": {} }));
        }
        self.after(FRAME_MS * MS, Act::SocketTick(socket));
    }

    fn say_frame(&mut self, socket: Handle) {
        let Some(line) = self.stream(socket).and_then(|stream| stream.out.as_mut()) else { return };
        let size = line.law.samples_of_ms(FRAME_MS);
        let left = line.speech.get(line.said..).unwrap_or_default();
        let mut samples = left[..left.len().min(size)].to_vec();
        line.said += samples.len();
        samples.resize(size, 0);
        let payload = line.law.encode(&samples);
        let told =
            json!({ "chunk": line.chunk, "timestamp": line.samples, "payload": base64(&payload), "tag": line.tag });
        line.chunk += 1;
        line.samples += size as u64;
        line.bytes += payload.len() as u64;
        self.frame(socket, "media", told);
    }

    fn play_frame(&mut self, socket: Handle) {
        let Some(player) = self.stream(socket).and_then(|stream| stream.into.as_mut()) else { return };
        let size = player.law.samples_of_ms(FRAME_MS).min(player.buffer.len());
        let frame: Vec<i16> = player.buffer.drain(..size).collect();
        let sum: u64 = frame.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
        if !frame.is_empty() && sum / frame.len() as u64 > LOUD {
            player.quiet = 0;
            if !std::mem::replace(&mut player.speaking, true) {
                let understood = player.decoder.understood();
                let lasts = understood.lasts_ms.map_or(UNKNOWN_LASTS, |ms| ms * MS);
                self.phrase_begins(socket, understood.text, lasts);
            }
            return;
        }
        player.quiet += 1;
        if player.speaking && player.quiet >= QUIET_FRAMES {
            self.phrase_over(socket);
        }
    }

    fn phrase_begins(&mut self, socket: Handle, text: String, lasts: Micros) {
        let number = self.voice_number();
        let ends_at = self.now + lasts;
        if let Some(unit) = self.unit(socket) {
            unit.voice = Some(Voice { number, text, ends_at });
        }
        for to in self.sinks_of(socket) {
            self.hear_begin(socket, to);
        }
    }

    /// What was said is known now, to the callee and to the record.
    fn phrase_over(&mut self, socket: Handle) {
        let Some(player) = self.stream(socket).and_then(|stream| stream.into.as_mut()) else { return };
        player.quiet = 0;
        let (spoke, understood) = (std::mem::take(&mut player.speaking), player.decoder.finish());
        if !spoke {
            return;
        }
        let voice = self.voice_of(socket).map(|voice| voice.number);
        if let Some(number) = voice {
            self.record.callee_understood(number, &understood.text);
        }
        for to in self.sinks_of(socket) {
            if matches!(self.units[to as usize].kind, Kind::Call(_)) {
                self.callee_hears(to, Heard::AgentSaid { text: &understood.text });
            }
        }
        self.end_voice(socket);
    }
}
