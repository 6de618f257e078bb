//! How audio lies in bytes, on the platform's side and on the model's.

use super::g711;
use std::str::FromStr;

/// One channel of audio, as the platform's media streams carry it (`WebSocketAudioEncoding`, OPUS left out).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// G.711 µ-law, 8 kHz.
    Ulaw,
    /// G.711 A-law, 8 kHz.
    Alaw,
    /// 16 bits, low byte first, 8 kHz.
    Pcm8,
    /// 16 bits, low byte first, 16 kHz.
    Pcm16,
    /// 16 bits, low byte first, 24 kHz: what the model speaks when it does not speak G.711.
    Pcm24,
}

impl Encoding {
    /// Samples in a second.
    pub fn rate(self) -> u32 {
        match self {
            Encoding::Ulaw | Encoding::Alaw | Encoding::Pcm8 => 8_000,
            Encoding::Pcm16 => 16_000,
            Encoding::Pcm24 => 24_000,
        }
    }

    pub fn bytes_per_sample(self) -> usize {
        match self {
            Encoding::Ulaw | Encoding::Alaw => 1,
            Encoding::Pcm8 | Encoding::Pcm16 | Encoding::Pcm24 => 2,
        }
    }

    /// Bytes of so many milliseconds.
    pub fn bytes_of_ms(self, ms: u64) -> usize {
        ms as usize * self.rate() as usize / 1000 * self.bytes_per_sample()
    }

    /// Milliseconds in so many bytes, rounded down.
    pub fn ms_of_bytes(self, bytes: usize) -> u64 {
        (bytes / self.bytes_per_sample()) as u64 * 1000 / u64::from(self.rate())
    }

    /// The platform's name of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Encoding::Ulaw => "ULAW",
            Encoding::Alaw => "ALAW",
            Encoding::Pcm8 => "PCM8",
            Encoding::Pcm16 => "PCM16",
            Encoding::Pcm24 => "PCM24",
        }
    }

    /// What the model is asked to take and give: G.711 as it is, so that nothing is computed or delayed, and
    /// 24 kHz for everything else, the only rate at which it takes samples.
    pub fn of_model(self) -> Encoding {
        match self {
            Encoding::Ulaw | Encoding::Alaw => self,
            Encoding::Pcm8 | Encoding::Pcm16 | Encoding::Pcm24 => Encoding::Pcm24,
        }
    }

    /// An odd last byte, half a sample, is left out.
    pub fn decode(self, bytes: &[u8]) -> Vec<i16> {
        match self {
            Encoding::Ulaw => bytes.iter().map(|code| g711::ulaw_decode(*code)).collect(),
            Encoding::Alaw => bytes.iter().map(|code| g711::alaw_decode(*code)).collect(),
            Encoding::Pcm8 | Encoding::Pcm16 | Encoding::Pcm24 => {
                bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
            }
        }
    }

    pub fn encode(self, samples: &[i16]) -> Vec<u8> {
        match self {
            Encoding::Ulaw => samples.iter().map(|sample| g711::ulaw_encode(*sample)).collect(),
            Encoding::Alaw => samples.iter().map(|sample| g711::alaw_encode(*sample)).collect(),
            Encoding::Pcm8 | Encoding::Pcm16 | Encoding::Pcm24 => {
                samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
            }
        }
    }

    /// So many milliseconds of nothing.
    pub fn silence(self, ms: u64) -> Vec<u8> {
        let byte = match self {
            Encoding::Ulaw => g711::ULAW_SILENCE,
            Encoding::Alaw => g711::ALAW_SILENCE,
            Encoding::Pcm8 | Encoding::Pcm16 | Encoding::Pcm24 => 0,
        };
        vec![byte; self.bytes_of_ms(ms)]
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("write ULAW, ALAW, PCM8 or PCM16")]
pub struct NotAnEncoding;

/// The platform's own names; PCM24 is the model's and never the platform's.
impl FromStr for Encoding {
    type Err = NotAnEncoding;
    fn from_str(text: &str) -> Result<Self, NotAnEncoding> {
        match text {
            "ULAW" => Ok(Encoding::Ulaw),
            "ALAW" => Ok(Encoding::Alaw),
            "PCM8" => Ok(Encoding::Pcm8),
            "PCM16" => Ok(Encoding::Pcm16),
            _ => Err(NotAnEncoding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Encoding; 5] = [Encoding::Ulaw, Encoding::Alaw, Encoding::Pcm8, Encoding::Pcm16, Encoding::Pcm24];

    #[test]
    fn twenty_milliseconds_are_so_many_bytes() {
        let bytes = ALL.map(|it| it.bytes_of_ms(20));
        assert_eq!(bytes, [160, 160, 320, 640, 960]);
        for encoding in ALL {
            assert_eq!(encoding.ms_of_bytes(encoding.bytes_of_ms(20)), 20);
            assert_eq!(encoding.silence(20).len(), encoding.bytes_of_ms(20));
            let quiet = encoding.decode(&encoding.silence(20)).iter().all(|sample| sample.abs() <= 8);
            assert!(quiet, "{encoding:?} is silent");
        }
    }

    #[test]
    fn what_is_decoded_is_what_was_encoded() {
        let samples = [0, 1, -1, 255, -256, 12_345, -12_345, i16::MAX, i16::MIN];
        assert_eq!(Encoding::Pcm16.decode(&Encoding::Pcm16.encode(&samples)), samples);
        assert_eq!(Encoding::Pcm16.encode(&[0x0102]), [0x02, 0x01], "the low byte comes first");
        assert_eq!(Encoding::Pcm8.decode(&[1, 0, 7]), [1], "half a sample is none");
        for law in [Encoding::Ulaw, Encoding::Alaw] {
            for (was, is) in samples.iter().zip(law.decode(&law.encode(&samples))) {
                let off = (f64::from(*was) - f64::from(is)).abs();
                assert!(off <= 16.0 + f64::from(*was).abs() / 30.0, "{law:?}: {was} became {is}");
            }
        }
    }

    #[test]
    fn the_platforms_names_are_read() {
        for encoding in ALL {
            let expected = (encoding != Encoding::Pcm24).then_some(encoding);
            assert_eq!(encoding.as_str().parse().ok(), expected);
        }
    }
}
