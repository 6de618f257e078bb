//! Samples as bytes. G.711 is read off the recommendation's own tables of decision values, by search.

use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    Ulaw,
    Alaw,
    /// 16 bits, low byte first, at this many samples a second.
    Linear(u32),
}

/// One half of a law: where each of its 128 steps begins, and what it is put out as.
struct Steps {
    begins: Vec<i32>,
    outputs: Vec<i32>,
}

/// ITU-T G.711, tables 2a and 1a, in units of 16 bits.
fn steps(law: Law) -> &'static Steps {
    static ULAW: OnceLock<Steps> = OnceLock::new();
    static ALAW: OnceLock<Steps> = OnceLock::new();
    let made = |first: &[i32], widths: &[(usize, i32)], scale: i32| {
        let mut begins = first.to_vec();
        for (count, width) in widths {
            for _ in 0..*count {
                begins.push(begins[begins.len() - 1] + width);
            }
        }
        let middle = |pair: &[i32]| if pair[0] == 0 && pair[1] == 1 { 0 } else { (pair[0] + pair[1]) * scale / 2 };
        Steps {
            outputs: begins.windows(2).map(middle).collect(),
            begins: begins[..begins.len() - 1].iter().map(|it| it * scale).collect(),
        }
    };
    match law {
        Law::Alaw => {
            ALAW.get_or_init(|| made(&[0], &[(32, 2), (16, 4), (16, 8), (16, 16), (16, 32), (16, 64), (16, 128)], 8))
        }
        Law::Ulaw | Law::Linear(_) => ULAW.get_or_init(|| {
            let widths = [(15, 2), (16, 4), (16, 8), (16, 16), (16, 32), (16, 64), (16, 128), (16, 256)];
            made(&[0, 1], &widths, 4)
        }),
    }
}

impl Law {
    pub fn rate(self) -> u32 {
        match self {
            Law::Ulaw | Law::Alaw => 8_000,
            Law::Linear(rate) => rate,
        }
    }

    pub fn samples_of_ms(self, ms: u64) -> usize {
        ms as usize * self.rate() as usize / 1000
    }

    pub fn encode(self, samples: &[i16]) -> Vec<u8> {
        let (flip, positive) = match self {
            Law::Linear(_) => return samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
            Law::Ulaw => (0x7f, 0x80),
            Law::Alaw => (0x55, 0x80),
        };
        let steps = steps(self);
        let code = |sample: &i16| {
            let magnitude = i32::from(*sample).abs();
            let step = steps.begins.partition_point(|begin| *begin <= magnitude).saturating_sub(1) as u8;
            (step ^ flip) | if *sample < 0 { 0 } else { positive }
        };
        match self {
            // µ-law turns every bit over but the sign's, which is 1 for what is not negative.
            Law::Ulaw => samples.iter().map(code).collect(),
            _ => samples.iter().map(|sample| (code(sample) & 0x7f) | if *sample < 0 { 0 } else { positive }).collect(),
        }
    }

    pub fn decode(self, bytes: &[u8]) -> Vec<i16> {
        let flip = match self {
            Law::Linear(_) => {
                return bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
            }
            Law::Ulaw => 0x7f,
            Law::Alaw => 0x55,
        };
        let steps = steps(self);
        let sample = |code: &u8| {
            let output = steps.outputs[usize::from((code & 0x7f) ^ flip)];
            (if code & 0x80 == 0 { -output } else { output }) as i16
        };
        bytes.iter().map(sample).collect()
    }
}
