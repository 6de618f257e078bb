//! The callee's audio on its way to the model.

use super::Bridge;
use crate::media::encoding::Encoding;
use crate::media::ends::End;
use crate::media::resample::Resampler;
use crate::media::words;

/// A gap in the callee's audio is filled with silence up to this, so that the model's positions stay true.
const GAP_MS_MAX: u64 = 1_000;

impl Bridge {
    pub(super) fn hears_in(&mut self, encoding: Encoding, now: u64) {
        self.next_chunk = None;
        if self.heard.as_ref().is_some_and(|(known, _)| *known == encoding) {
            return;
        }
        match Resampler::new(encoding.rate(), self.model.rate()) {
            Ok(resampler) => self.heard = Some((encoding, resampler)),
            Err(error) => self.finish(End::CallNonsense(error.to_string()), now),
        }
    }

    pub(super) fn heard(&mut self, chunk: Option<u64>, payload: &[u8]) {
        let Some((encoding, _)) = &self.heard else { return };
        let encoding = *encoding;
        let mut gap_ms = 0;
        if let Some(chunk) = chunk {
            let expected = self.next_chunk.unwrap_or(chunk);
            if chunk < expected {
                // Its place has been filled already.
                self.tally.late += 1;
                return;
            }
            let lost = chunk - expected;
            self.tally.lost += lost;
            gap_ms = lost.saturating_mul(encoding.ms_of_bytes(payload.len())).min(GAP_MS_MAX);
            self.next_chunk = Some(chunk.saturating_add(1));
        }
        if gap_ms > 0 {
            self.pass_on(&encoding.silence(gap_ms));
        }
        self.tally.heard_ms += encoding.ms_of_bytes(payload.len());
        self.pass_on(payload);
    }

    fn pass_on(&mut self, audio: &[u8]) {
        // Before the session stands there is nobody to hear it, and what it would hear is long past.
        if !self.ready || self.end.is_some() {
            return;
        }
        let Some((encoding, resampler)) = &mut self.heard else { return };
        let turned;
        let audio = if *encoding == self.model {
            audio
        } else {
            turned = self.model.encode(&resampler.push(&encoding.decode(audio)));
            &turned
        };
        if !audio.is_empty() {
            let ms = self.model.ms_of_bytes(audio.len());
            self.to_model.audio(words::append(audio).to_string(), ms);
        }
    }
}
