//! Stand-ins for speech recognition, voice-activity detection and machine detection.

use serde_json::{Value, json};

use crate::simulator::callee::{Broken, Temper};
use crate::simulator::clock::{MS, Micros};
use crate::simulator::session::calls::State;
use crate::simulator::session::media::{Kind, Unit};
use crate::simulator::session::record::Resource;
use crate::simulator::session::world::{Act, Delivery, Handle, World};

/// From the first sound to the detector's word: three frames of 32 ms.
const VAD_FRAMES: Micros = 96 * MS;
const CAPTURE_STARTS: Micros = 150 * MS;

#[derive(Clone, Debug)]
pub enum SpeechStep {
    VadSilent { mark: u32, ended_at: Micros },
    Interim { mark: u32, text: String },
    Captured,
    Result { text: String },
    Machine { mark: u32, class: &'static str, subtype: &'static str, confidence: u32 },
}

#[derive(Default)]
pub struct Asr {
    pub interim: bool,
    pub single: bool,
    pub stopped: bool,
    pub heard: u32,
}

/// Positions count the media received: from the moment something was first attached.
#[derive(Default)]
pub struct Vad {
    pub min_silence: Micros,
    pub media_since: Option<Micros>,
    pub closed: bool,
    pub speaking: bool,
    pub mark: u32,
}

/// Tells, when it is asked, whether the callee has said all.
#[derive(Default)]
pub struct Turns {
    pub speaking: bool,
}

#[derive(Default)]
pub struct Amd {
    pub call: Option<Handle>,
    pub timeout: Micros,
    pub promise: Option<u32>,
    pub mark: u32,
    pub running: bool,
}

impl World {
    pub fn media_attached(&mut self, _from: Handle, to: Handle) {
        let now = self.now;
        if let Some(Unit { kind: Kind::Vad(vad), .. }) = self.unit(to) {
            vad.media_since.get_or_insert(now);
        }
    }

    pub fn media_detached(&mut self, to: Handle) {
        if let Some(Unit { kind: Kind::Vad(vad), .. }) = self.unit(to) {
            vad.speaking = false;
        }
    }

    pub fn vad_hears(&mut self, handle: Handle, voice: bool) {
        let now = self.now;
        let Some(Unit { kind: Kind::Vad(vad), .. }) = self.unit(handle) else {
            return;
        };
        if vad.closed {
            return;
        }
        let since = vad.media_since.unwrap_or(now);
        vad.mark += 1;
        if !voice {
            let (mark, silence) = (vad.mark, vad.min_silence);
            self.after(silence, Act::Speech(handle, SpeechStep::VadSilent { mark, ended_at: now }));
            return;
        }
        // Speech that goes on within the silence it waits for is the same speech.
        if !std::mem::replace(&mut vad.speaking, true) {
            let told = json!({ "speechStartAt": (now - since) / MS });
            self.deliver_after(VAD_FRAMES, handle, "Silero.VAD.Result", told);
        }
    }

    pub fn asr_hears_begin(&mut self, handle: Handle, text: String, lasts: Micros) {
        let Some(Unit { kind: Kind::Asr(asr), .. }) = self.unit(handle) else {
            return;
        };
        if asr.stopped {
            return;
        }
        asr.heard += 1;
        let (mark, interim) = (asr.heard, asr.interim);
        self.deliver_after(CAPTURE_STARTS.min(lasts), handle, "ASR.CaptureStarted", json!({}));
        if interim {
            let words: Vec<&str> = text.split_whitespace().collect();
            let half = words[..words.len().div_ceil(2)].join(" ");
            self.after(lasts * 7 / 10, Act::Speech(handle, SpeechStep::Interim { mark, text: half }));
        }
    }

    pub fn asr_hears_end(&mut self, handle: Handle, text: &str) {
        let Some(Unit { kind: Kind::Asr(asr), .. }) = self.unit(handle) else {
            return;
        };
        if asr.stopped {
            return;
        }
        let mark = asr.heard;
        if self.broken() == Some(Broken::Recogniser) {
            self.deliver_after(200 * MS, handle, "ASR.Error", json!({ "error": "the recogniser is out of order" }));
            return;
        }
        let takes = self.latency.asr_ms.draw(&self.dice, "asr", u64::from(mark));
        self.after(takes * 4 / 10, Act::Speech(handle, SpeechStep::Captured));
        self.after(takes, Act::Speech(handle, SpeechStep::Result { text: text.to_owned() }));
    }

    pub fn stop_asr(&mut self, handle: Handle) {
        let Some(Unit { kind: Kind::Asr(asr), .. }) = self.unit(handle) else {
            return;
        };
        if !std::mem::replace(&mut asr.stopped, true) {
            self.deliver_after(10 * MS, handle, "ASR.Stopped", json!({ "cost": 0.0, "duration": 0 }));
        }
    }

    pub fn speech_step(&mut self, handle: Handle, step: SpeechStep) {
        let dice = self.dice.clone();
        let Some(unit) = self.unit(handle) else {
            return;
        };
        match (&mut unit.kind, step) {
            (Kind::Vad(vad), SpeechStep::VadSilent { mark, ended_at })
                if vad.mark == mark && vad.speaking && !vad.closed =>
            {
                vad.speaking = false;
                let position = ended_at.saturating_sub(vad.media_since.unwrap_or(0)) / MS;
                self.deliver(handle, "Silero.VAD.Result", json!({ "speechEndAt": position }));
            }
            (Kind::Asr(asr), SpeechStep::Interim { mark, text }) if asr.heard == mark && !asr.stopped => {
                self.deliver(handle, "ASR.InterimResult", json!({ "text": text }));
            }
            (Kind::Asr(asr), SpeechStep::Captured) if !asr.stopped => {
                self.deliver(handle, "ASR.SpeechCaptured", json!({}));
            }
            (Kind::Asr(asr), SpeechStep::Result { text }) if !asr.stopped => {
                asr.stopped = asr.single;
                let confidence = 78 + (dice.bits("confidence", u64::from(asr.heard)) % 20);
                self.deliver(handle, "ASR.Result", json!({ "text": text, "confidence": confidence }));
            }
            (Kind::Amd(amd), SpeechStep::Machine { mark, class, subtype, confidence })
                if amd.mark == mark && amd.running =>
            {
                amd.running = false;
                let (call, promise) = (amd.call, amd.promise.take());
                let told = json!({
                    "callId": call, "resultClass": class, "resultSubtype": subtype, "confidence": confidence,
                });
                self.deliver(handle, "AMD.DetectionComplete", told.clone());
                if let Some(promise) = promise {
                    self.settle_after(0, promise, true, told);
                }
            }
            _ => {}
        }
    }

    /// Machine detection runs from the answer; whoever says nothing is not told apart.
    pub fn detect_machine(&mut self, amd: Handle, call: Handle, promise: Option<u32>) {
        let mute = self.broken() == Some(Broken::Detector);
        let Some(told) = self.call(call) else { return };
        let (state, temper, verdict, dice) = (told.state, told.temper, told.verdict, told.dice.clone());
        if state == State::Ended {
            if let Some(promise) = promise {
                self.settle_after(0, promise, true, undecided(call));
            }
            return;
        }
        told.amd = Some(amd);
        let Some(Unit { kind: Kind::Amd(it), .. }) = self.unit(amd) else {
            return;
        };
        it.call = Some(call);
        if promise.is_some() {
            it.promise = promise;
        }
        // Before the answer it only listens; `answered` comes back here.
        if state != State::Connected || it.running || mute {
            return;
        }
        it.running = true;
        it.mark += 1;
        let (mark, timeout) = (it.mark, it.timeout);
        self.record.used(Resource::MachineDetection, 1.0);
        let (after, class) = match temper {
            _ if verdict.is_some_and(|(class, _)| class == "TIMEOUT") => (timeout, "TIMEOUT"),
            Some(Temper::Machine) => (dice.between_ms(1700.0, 3600.0, "machine heard", 0), "VOICEMAIL"),
            Some(Temper::Silent) => (timeout, "TIMEOUT"),
            _ => (dice.between_ms(1100.0, 2600.0, "human heard", 0), "HUMAN"),
        };
        let drawn = if class == "VOICEMAIL" && dice.chance(0.1, "mimic", 0) { "MIMIC" } else { "NONE" };
        let subtype = verdict.map_or(drawn, |(_, subtype)| subtype);
        let confidence = 70 + (dice.bits("certain", 0) % 30) as u32;
        let step = if after >= timeout {
            SpeechStep::Machine { mark, class: "TIMEOUT", subtype: "NONE", confidence: 0 }
        } else {
            SpeechStep::Machine { mark, class, subtype, confidence }
        };
        self.after(after.min(timeout), Act::Speech(amd, step));
    }

    /// The call ended while detection ran.
    pub fn machine_undecided(&mut self, amd: Handle, call: Handle) {
        let Some(Unit { kind: Kind::Amd(it), .. }) = self.unit(amd) else {
            return;
        };
        let was_running = std::mem::replace(&mut it.running, false);
        let promise = it.promise.take();
        if was_running {
            let event = Delivery::Event { unit: amd, name: "AMD.DetectionComplete", data: undecided(call) };
            self.after(0, Act::Deliver(event));
        }
        if let Some(promise) = promise {
            self.settle_after(0, promise, true, undecided(call));
        }
    }
}

fn undecided(call: Handle) -> Value {
    json!({ "callId": call, "resultClass": "CALL_ENDED", "resultSubtype": "NONE", "confidence": 0 })
}
