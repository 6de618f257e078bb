//! G.711, both laws: one byte for a sample, 8 000 of them in a second.
//!
//! Written from ITU-T G.711 (1988), tables 1 and 2: eight segments of sixteen steps, each segment's steps twice
//! as wide as those before. Samples are 16 bits here; the recommendation counts µ-law in 14 of them and A-law
//! in 13, so its figures are multiplied by 4 and 8.

/// What is added before the segments are told apart, so that each begins at a power of two: 33 × 4.
const BIAS: i32 = 132;
/// The highest magnitude that µ-law tells from others.
const ULAW_MAX: i32 = 8159 * 4 - 1;

/// Silence as µ-law says it.
pub const ULAW_SILENCE: u8 = 0xff;
/// Silence as A-law says it.
pub const ALAW_SILENCE: u8 = 0xd5;

pub fn ulaw_encode(sample: i16) -> u8 {
    let magnitude = i32::from(sample).abs().min(ULAW_MAX) + BIAS;
    // The highest bit that is set lies between 7 and 14.
    let segment = magnitude.ilog2() - 7;
    let step = (magnitude >> (segment + 3)) & 0x0f;
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | (segment as u8) << 4 | step as u8)
}

pub fn ulaw_decode(code: u8) -> i16 {
    let code = !code;
    let (segment, step) = (u32::from(code >> 4) & 7, i32::from(code & 0x0f));
    let magnitude = (((step << 3) + BIAS) << segment) - BIAS;
    (if code & 0x80 == 0 { magnitude } else { -magnitude }) as i16
}

pub fn alaw_encode(sample: i16) -> u8 {
    let magnitude = i32::from(sample).abs().min(i32::from(i16::MAX));
    // The first two segments have steps of the same width.
    let segment = if magnitude < 256 { 0 } else { magnitude.ilog2() - 7 };
    let step = (magnitude >> if segment == 0 { 4 } else { segment + 3 }) & 0x0f;
    let sign = if sample < 0 { 0 } else { 0x80 };
    // Every other bit is turned over, so that silence is no row of zeros on a wire.
    (sign | (segment as u8) << 4 | step as u8) ^ 0x55
}

pub fn alaw_decode(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (segment, step) = (u32::from(code >> 4) & 7, i32::from(code & 0x0f));
    let magnitude = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 0x108) << (segment - 1),
    };
    (if code & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decision values of one half of the recommendation's table, and between each two the output value;
    /// in its own units.
    fn table(first: i32, steps: &[(usize, i32)], scale: i32) -> (Vec<i32>, Vec<i32>) {
        let mut decisions = vec![first];
        for (count, width) in steps {
            for _ in 0..*count {
                decisions.push(decisions[decisions.len() - 1] + width);
            }
        }
        let outputs = decisions.windows(2).map(|pair| (pair[0] + pair[1]) / 2 * scale).collect();
        (decisions.into_iter().map(|it| it * scale).collect(), outputs)
    }

    /// Table 2a: the first step reaches from nothing to 1 and is put out as 0, the others are 2, 4 … 256 wide.
    fn ulaw_table() -> (Vec<i32>, Vec<i32>) {
        let steps = [(15, 2), (16, 4), (16, 8), (16, 16), (16, 32), (16, 64), (16, 128), (16, 256)];
        let (mut decisions, mut outputs) = table(1, &steps, 4);
        decisions.insert(0, 0);
        outputs.insert(0, 0);
        (decisions, outputs)
    }

    /// Table 1a: thirty-two steps of 2, then 4, 8 … 128.
    fn alaw_table() -> (Vec<i32>, Vec<i32>) {
        table(0, &[(32, 2), (16, 4), (16, 8), (16, 16), (16, 32), (16, 64), (16, 128)], 8)
    }

    fn holds(encode: fn(i16) -> u8, decode: fn(u8) -> i16, (decisions, outputs): (Vec<i32>, Vec<i32>)) {
        assert_eq!(outputs.len(), 128, "one output for each code of one sign");
        for sample in i16::MIN..=i16::MAX {
            let magnitude = i32::from(sample).abs();
            let place = decisions.partition_point(|decision| *decision <= magnitude).min(outputs.len()) - 1;
            let expected = outputs[place] * if sample < 0 { -1 } else { 1 };
            let code = encode(sample);
            assert_eq!(i32::from(decode(code)), expected, "{sample} became {code:#04x}");
        }
        let mut all: Vec<i16> = (0..=255).map(decode).collect();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() >= 255, "every code has a value of its own, but for the two zeros");
        for code in 0..=255u8 {
            assert_eq!(decode(encode(decode(code))), decode(code), "{code:#04x} there and back");
        }
    }

    #[test]
    fn ulaw_is_the_recommendations_table() {
        holds(ulaw_encode, ulaw_decode, ulaw_table());
        // Character signals of tables 2a and 2b: the ends and the middle.
        assert_eq!((ulaw_encode(0), ulaw_encode(i16::MAX), ulaw_encode(i16::MIN)), (0xff, 0x80, 0x00));
        assert_eq!((ulaw_decode(0x80), ulaw_decode(0x00)), (32124, -32124));
        assert_eq!(ulaw_decode(ULAW_SILENCE), 0);
    }

    #[test]
    fn alaw_is_the_recommendations_table() {
        holds(alaw_encode, alaw_decode, alaw_table());
        assert_eq!((alaw_encode(0), alaw_encode(i16::MAX), alaw_encode(i16::MIN)), (0xd5, 0xaa, 0x2a));
        assert_eq!((alaw_decode(0xaa), alaw_decode(0x2a)), (32256, -32256));
        assert_eq!(alaw_decode(ALAW_SILENCE), 8);
    }
}
