//! Other sampling rates: 8, 16 and 24 kHz into one another, for as long as a call lasts.
//!
//! The filter is `rubato`'s windowed sinc. All ratios here are thirds and halves, so a filter that is computed
//! at every sixth of a sample has each of the positions that are ever asked for, and nothing is interpolated.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{
    Async, FixedAsync, Indexing, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};

/// Samples of the lower rate that a filter looks at: half of them lie ahead, which is its delay (4 ms at 8 kHz).
const TAPS: usize = 64;
/// Positions between two samples.
const POSITIONS: usize = 6;
/// Samples are taken in so many milliseconds at a time; what is left waits for more.
const PIECE_MS: usize = 5;

/// Turns a stream of samples of one rate into a stream of another.
pub struct Resampler {
    inner: Option<Inner>,
}

struct Inner {
    filter: Async<f32>,
    piece: usize,
    waiting: Vec<f32>,
    out: Vec<f32>,
    /// What the filter puts out before the first sample: as much as it delays.
    skip: usize,
    taken: usize,
    given: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("no filter from {from} to {to} Hz")]
pub struct NoFilter {
    from: u32,
    to: u32,
    #[source]
    cause: rubato::ResamplerConstructionError,
}

impl Resampler {
    /// Between equal rates nothing is done.
    pub fn new(from: u32, to: u32) -> Result<Self, NoFilter> {
        if from == to {
            return Ok(Resampler { inner: None });
        }
        let taps = TAPS * from.max(to) as usize / to as usize;
        let parameters = SincInterpolationParameters::new(taps, WindowFunction::BlackmanHarris2)
            .oversampling_factor(POSITIONS)
            .interpolation(SincInterpolationType::Nearest);
        let piece = from as usize * PIECE_MS / 1000;
        let ratio = f64::from(to) / f64::from(from);
        let filter = Async::<f32>::new_sinc(ratio, 1.0, &parameters, piece, 1, FixedAsync::Input)
            .map_err(|cause| NoFilter { from, to, cause })?;
        let out = vec![0.0; filter.output_frames_max()];
        let skip = filter.output_delay();
        Ok(Resampler { inner: Some(Inner { filter, piece, waiting: Vec::new(), out, skip, taken: 0, given: 0 }) })
    }

    /// Takes samples in; gives what is complete.
    pub fn push(&mut self, samples: &[i16]) -> Vec<i16> {
        let Some(inner) = &mut self.inner else {
            return samples.to_vec();
        };
        inner.waiting.extend(samples.iter().map(|sample| f32::from(*sample)));
        let mut made = Vec::new();
        inner.taken += samples.len();
        let waiting = std::mem::take(&mut inner.waiting);
        let pieces = waiting.chunks_exact(inner.piece);
        inner.waiting = pieces.remainder().to_vec();
        pieces.for_each(|piece| inner.filter(piece, &mut made));
        inner.given += made.len();
        made
    }

    /// Gives the rest of what was taken in; the next sample begins anew.
    pub fn flush(&mut self) -> Vec<i16> {
        let Some(inner) = &mut self.inner else {
            return Vec::new();
        };
        let all = (inner.taken as f64 * inner.filter.resample_ratio()).round() as usize;
        let owed = all.saturating_sub(inner.given);
        let mut made = Vec::new();
        let mut rest = std::mem::take(&mut inner.waiting);
        while made.len() < owed {
            rest.resize(inner.piece, 0.0);
            inner.filter(&rest, &mut made);
            rest.clear();
        }
        made.truncate(owed);
        inner.filter.reset();
        inner.skip = inner.filter.output_delay();
        (inner.taken, inner.given) = (0, 0);
        made
    }
}

impl Inner {
    fn filter(&mut self, piece: &[f32], made: &mut Vec<i16>) {
        let frames = self.out.len();
        let (Ok(from), Ok(mut to)) =
            (SequentialSlice::new(piece, 1, piece.len()), SequentialSlice::new_mut(&mut self.out, 1, frames))
        else {
            return;
        };
        // A whole piece and room for the most that can come of it: there is nothing to refuse.
        let Ok((_, count)) = self.filter.process_into_buffer(&from, &mut to, None::<&Indexing>) else {
            return;
        };
        let skipped = self.skip.min(count);
        self.skip -= skipped;
        made.extend(self.out[skipped..count].iter().map(|sample| sample.round() as i16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [u32; 3] = [8_000, 16_000, 24_000];
    const LOUD: f64 = 12_000.0;

    fn tone(rate: u32, hz: f64, count: usize) -> Vec<i16> {
        let step = std::f64::consts::TAU * hz / f64::from(rate);
        (0..count).map(|n| (LOUD * (step * n as f64).sin()).round() as i16).collect()
    }

    /// How much louder than everything else a tone of this frequency is, in decibels, whatever its phase.
    fn snr(samples: &[i16], rate: u32, hz: f64) -> f64 {
        let step = std::f64::consts::TAU * hz / f64::from(rate);
        let count = samples.len() as f64;
        let (mut sines, mut cosines) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let (sine, cosine) = (step * n as f64).sin_cos();
            sines += f64::from(*sample) * sine;
            cosines += f64::from(*sample) * cosine;
        }
        let (a, b) = (2.0 * sines / count, 2.0 * cosines / count);
        let noise: f64 = samples.iter().enumerate().fold(0.0, |sum, (n, sample)| {
            let (sine, cosine) = (step * n as f64).sin_cos();
            sum + (f64::from(*sample) - a * sine - b * cosine).powi(2)
        });
        10.0 * ((a * a + b * b) / 2.0 / (noise / count)).log10()
    }

    #[test]
    fn a_tone_stays_a_tone_at_every_rate() {
        for from in RATES {
            for to in RATES {
                for hz in [300.0, 1_000.0, 2_500.0] {
                    let mut resampler = Resampler::new(from, to).expect("a filter");
                    let mut made = Vec::new();
                    // In pieces of no particular length, as they come.
                    for piece in tone(from, hz, from as usize).chunks(157) {
                        made.extend(resampler.push(piece));
                    }
                    made.extend(resampler.flush());
                    assert_eq!(made.len(), to as usize, "a second from {from} is a second at {to}");
                    // The ends of a tone are no tone.
                    let middle = &made[to as usize / 10..to as usize * 9 / 10];
                    let clean = snr(middle, to, hz);
                    assert!(clean > 60.0, "{hz} Hz from {from} to {to}: {clean:.1} dB");
                    let loudest = middle.iter().map(|sample| f64::from(sample.abs())).fold(0.0, f64::max);
                    assert!((loudest / LOUD - 1.0).abs() < 0.02, "{hz} Hz from {from} to {to}: {loudest}");
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_not_heard() {
        let mut resampler = Resampler::new(24_000, 8_000).expect("a filter");
        let mut made = resampler.push(&tone(24_000, 5_500.0, 24_000));
        made.extend(resampler.flush());
        let loudest = made[800..7_200].iter().map(|sample| sample.abs()).max();
        assert!(loudest < Some(40), "an alias of {loudest:?}");
    }

    #[test]
    fn the_filter_waits_for_no_more_than_nine_milliseconds() {
        for (from, to) in [(8_000, 24_000), (16_000, 24_000), (24_000, 8_000), (24_000, 16_000)] {
            let mut resampler = Resampler::new(from, to).expect("a filter");
            let made = resampler.push(&tone(from, 440.0, from as usize / 10)).len();
            let late_ms = 100.0 - made as f64 * 1000.0 / f64::from(to);
            assert!(late_ms <= 9.0, "{from} to {to}: {late_ms:.1} ms behind");
        }
    }

    #[test]
    fn nothing_of_one_stream_is_heard_in_the_next() {
        let mut resampler = Resampler::new(24_000, 8_000).expect("a filter");
        resampler.push(&tone(24_000, 440.0, 1_000));
        resampler.flush();
        let mut made = resampler.push(&[0; 2_400]);
        made.extend(resampler.flush());
        assert!(made.iter().all(|sample| *sample == 0));
        assert_eq!(made.len(), 800);
    }
}
