//! Who hears whom. A unit with a voice is heard by every unit it is attached to; a call receives one
//! stream at a time, so whoever is attached last replaces the one before.

use serde_json::{Value, json};

use crate::simulator::callee::talk::Heard;
use crate::simulator::callee::{Broken, speaking_time};
use crate::simulator::clock::{MS, Micros};
use crate::simulator::session::calls::Call;
use crate::simulator::session::model::Model;
use crate::simulator::session::record::Resource;
use crate::simulator::session::socket::Socket;
use crate::simulator::session::speech::{Amd, Asr, Turns, Vad};
use crate::simulator::session::world::{Act, Handle, World};

/// Synthetic speech, per character.
const AGENT_PACE: Micros = 62 * MS;
const PLAYERS_MAX: usize = 10;
const TTS_CHARACTERS_MAX: usize = 1_500;
const URL_PLAYER_LASTS: Micros = 4_000 * MS;
const URL_PLAYER_STARTS: Micros = 180 * MS;

/// Something being said.
#[derive(Clone, Debug)]
pub struct Voice {
    pub number: u32,
    pub text: String,
    pub ends_at: Micros,
}

#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub from: Handle,
    pub to: Handle,
}

pub struct Unit {
    pub kind: Kind,
    pub voice: Option<Voice>,
}

impl Unit {
    pub fn new(kind: Kind) -> Self {
        Self { kind, voice: None }
    }
}

pub enum Kind {
    Application,
    Call(Box<Call>),
    Player(Player),
    Asr(Asr),
    Vad(Vad),
    Amd(Amd),
    Model(Box<Model>),
    Socket(Box<Socket>),
    Turns(Turns),
    /// Takes media and does nothing with it: a recorder.
    Sink,
}

/// A synthesis or file player. With `of_call` it is what `say` and `startPlayback` put on a call, and
/// its events are the call's.
pub struct Player {
    pub text: Option<String>,
    pub of_call: Option<Handle>,
    pub over: bool,
    /// It counts among the session's players until it is stopped, whether or not it has more to say.
    stopped: bool,
    starts_in: Micros,
}

impl World {
    /// Creates a player; it starts by itself unless it is `paused`.
    pub fn create_player(
        &mut self,
        text: Option<String>,
        of_call: Option<Handle>,
        paused: bool,
    ) -> Result<Handle, String> {
        if text.as_ref().is_some_and(|text| text.chars().count() > TTS_CHARACTERS_MAX) {
            return Err(format!("text is longer than {TTS_CHARACTERS_MAX} characters"));
        }
        let held =
            |unit: &&Unit| matches!(&unit.kind, Kind::Player(player) if player.of_call.is_none() && !player.stopped);
        if of_call.is_none() && self.units.iter().filter(held).count() >= PLAYERS_MAX {
            return Err("Players count limit exceeded".to_owned());
        }
        let nth = u64::from(self.voice_number());
        if let Some(text) = &text {
            self.record.used(Resource::Synthesis, text.chars().count() as f64);
        }
        let starts_in = match &text {
            Some(_) => self.latency.tts_ms.draw(&self.dice, "tts", nth),
            None => URL_PLAYER_STARTS,
        };
        let player = self.add_unit(Kind::Player(Player { text, of_call, over: false, stopped: false, starts_in }))?;
        if !paused {
            self.resume_player(player);
        }
        Ok(player)
    }

    pub fn resume_player(&mut self, player: Handle) {
        let Some(Unit { kind: Kind::Player(it), .. }) = self.unit(player) else {
            return;
        };
        let starts_in = it.starts_in;
        self.after(starts_in, Act::PlayerBegins(player));
    }

    pub fn player_begins(&mut self, player: Handle) {
        // Whoever never hears the agent: the synthesis service does not deliver.
        if self.mute {
            return;
        }
        let Some(Unit { kind: Kind::Player(it), voice: None }) = self.unit(player) else {
            return;
        };
        if it.over {
            return;
        }
        let (text, of_call) = (it.text.clone(), it.of_call);
        let lasts = text.as_ref().map_or(URL_PLAYER_LASTS, |text| speaking_time(text, AGENT_PACE));
        let duration = lasts as f64 / 1e6;
        match of_call {
            Some(call) => {
                self.deliver(call, "Call.PlaybackReady", json!({}));
                self.deliver(call, "Call.PlaybackStarted", json!({ "duration": duration }));
            }
            None => {
                self.deliver(player, "Player.PlaybackReady", json!({}));
                self.deliver(player, "Player.Started", json!({ "duration": duration }));
            }
        }
        self.begin_voice(player, text.unwrap_or_default(), lasts);
    }

    /// Ends a player early; it says no more.
    pub fn stop_player(&mut self, player: Handle) {
        let Some(Unit { kind: Kind::Player(it), .. }) = self.unit(player) else {
            return;
        };
        it.stopped = true;
        if it.over {
            return;
        }
        it.over = true;
        let of_call = it.of_call;
        self.end_voice(player);
        self.edges.retain(|edge| edge.from != player);
        if of_call.is_none() {
            self.deliver_after(0, player, "Player.Stopped", json!({}));
        }
    }

    pub fn agent_speaking_time(text: &str) -> Micros {
        speaking_time(text, AGENT_PACE)
    }

    /// A unit begins to speak; whoever is attached hears it.
    pub fn begin_voice(&mut self, from: Handle, text: String, lasts: Micros) {
        let number = self.voice_number();
        let voice = Voice { number, text, ends_at: self.now + lasts };
        let Some(unit) = self.unit(from) else { return };
        unit.voice = Some(voice);
        self.after(lasts, Act::VoiceEnds(from, number));
        for to in self.sinks_of(from) {
            self.hear_begin(from, to);
        }
    }

    /// Falls silent now, whether the words were over or not.
    pub fn end_voice(&mut self, from: Handle) {
        let Some(unit) = self.unit(from) else { return };
        let Some(voice) = unit.voice.take() else {
            return;
        };
        for to in self.sinks_of(from) {
            self.hear_end(to, &voice);
        }
    }

    pub fn voice_ends(&mut self, from: Handle, number: u32) {
        if self.voice_of(from).is_none_or(|voice| voice.number != number) {
            return;
        }
        self.end_voice(from);
        let untold = self.broken() == Some(Broken::Player);
        let Some(unit) = self.unit(from) else { return };
        match &mut unit.kind {
            Kind::Player(player) => {
                player.over = true;
                let of_call = player.of_call;
                self.edges.retain(|edge| edge.from != from);
                match of_call {
                    _ if untold => {}
                    Some(call) => self.deliver(call, "Call.PlaybackFinished", json!({})),
                    None => self.deliver(from, "Player.PlaybackFinished", json!({})),
                }
            }
            Kind::Call(_) => self.callee_hears(from, Heard::SpokeOut),
            Kind::Model(_) => self.model_voice_over(from),
            _ => {}
        }
    }

    pub fn sinks_of(&self, from: Handle) -> Vec<Handle> {
        self.edges.iter().filter(|edge| edge.from == from).map(|edge| edge.to).collect()
    }

    pub fn is_attached(&self, from: Handle, to: Handle) -> bool {
        self.edges.iter().any(|edge| edge.from == from && edge.to == to)
    }

    pub fn attach(&mut self, from: Handle, to: Handle, parameters: &Value) -> Result<(), String> {
        if from == to || self.units.len() <= from as usize || self.units.len() <= to as usize {
            return Err("sendMediaTo: not a media unit".to_owned());
        }
        if self.is_attached(from, to) {
            return Ok(());
        }
        if matches!(self.units[to as usize].kind, Kind::Call(_)) {
            let replaced: Vec<Handle> = self.edges.iter().filter(|edge| edge.to == to).map(|edge| edge.from).collect();
            for other in replaced {
                self.detach(other, to);
                if matches!(&self.units[other as usize].kind, Kind::Player(player) if player.of_call.is_some()) {
                    self.stop_player(other);
                }
            }
        }
        self.edges.push(Edge { from, to });
        // The peer of a socket answers by its own clock.
        self.real_time |= [from, to].iter().any(|it| matches!(self.units[*it as usize].kind, Kind::Socket(_)));
        self.media_attached(from, to);
        if matches!(self.units[to as usize].kind, Kind::Socket(_)) {
            self.socket_media_begins(to, parameters);
        }
        if self.voice_of(from).is_some() {
            self.hear_begin(from, to);
        }
        Ok(())
    }

    pub fn detach(&mut self, from: Handle, to: Handle) {
        if !self.is_attached(from, to) {
            return;
        }
        if let Some(voice) = self.voice_of(from).cloned() {
            self.hear_end(to, &voice);
        }
        self.edges.retain(|edge| edge.from != from || edge.to != to);
        self.media_detached(to);
        self.socket_media_ends(to);
    }

    pub fn hear_begin(&mut self, from: Handle, to: Handle) {
        let Some(voice) = self.voice_of(from) else {
            return;
        };
        let (number, text, lasts) = (voice.number, voice.text.clone(), voice.ends_at.saturating_sub(self.now));
        match self.units[to as usize].kind {
            Kind::Call(_) => {
                self.record.callee_heard(self.now, number, &text);
                self.callee_hears(to, Heard::AgentStarts { text: &text, lasts });
            }
            Kind::Vad(_) => self.vad_hears(to, true),
            Kind::Asr(_) => self.asr_hears_begin(to, text, lasts),
            Kind::Model(_) => self.model_hears_begin(to, text),
            Kind::Turns(ref mut turns) => turns.speaking = true,
            Kind::Socket(_) => self.socket_hears_begin(to, &text, lasts),
            Kind::Application | Kind::Player(_) | Kind::Amd(_) | Kind::Sink => {}
        }
    }

    fn hear_end(&mut self, to: Handle, voice: &Voice) {
        match self.units[to as usize].kind {
            Kind::Call(_) => self.callee_hears(to, Heard::AgentEnds),
            Kind::Vad(_) => self.vad_hears(to, false),
            Kind::Asr(_) => self.asr_hears_end(to, &voice.text),
            Kind::Model(_) => self.model_hears_end(to),
            Kind::Turns(ref mut turns) => turns.speaking = false,
            Kind::Socket(_) => self.socket_hears_end(to),
            Kind::Application | Kind::Player(_) | Kind::Amd(_) | Kind::Sink => {}
        }
    }
}
