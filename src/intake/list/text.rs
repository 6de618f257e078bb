//! Bytes to UTF-8, piece by piece. The encoding is decided by a mark, by the zeros of UTF-16, or at the first byte
//! that ASCII does not hold: a list may begin with a thousand rows of digits.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    Decoder, Encoding, IBM866, KOI8_U, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252, X_MAC_CYRILLIC,
};
use std::io::{self, Read};

/// Read at once.
const PIECE: usize = 32 << 10;
/// Looked at to decide an encoding.
const WINDOW: usize = 64 << 10;
/// Looked at for the zeros of UTF-16.
const HEAD: usize = 4 << 10;

/// An encoding by any of its names.
pub fn known(label: &str) -> Result<String, String> {
    let label = match label.trim().to_lowercase().as_str() {
        "cp1251" | "win1251" | "ansi" | "1251" => "windows-1251".to_owned(),
        "cp866" | "dos" | "oem" => "ibm866".to_owned(),
        "utf16" => "utf-16le".to_owned(),
        other => other.to_owned(),
    };
    let found = Encoding::for_label_no_replacement(label.as_bytes());
    found.map(|encoding| encoding.name().to_lowercase()).ok_or_else(|| {
        "write the name of a text encoding, as in utf-8, utf-16le, windows-1251, ibm866, koi8-r".to_owned()
    })
}

enum State {
    Opening,
    /// Nothing but ASCII so far.
    Ascii,
    Decoding(Decoder),
}

pub struct Text<R> {
    bytes: R,
    state: State,
    /// Read and not decoded yet.
    raw: Vec<u8>,
    ended: bool,
    asked: Option<&'static Encoding>,
    /// A country's domain, which tips the scales between encodings of few letters.
    country: Option<String>,
    encoding: Option<&'static Encoding>,
}

impl<R: Read> Text<R> {
    /// `asked` is a name that [`known`] gave; `country` as ISO 3166 alpha-2.
    pub fn new(bytes: R, asked: Option<&str>, country: &str) -> Self {
        let country = country.to_ascii_lowercase();
        let usable = country.len() == 2 && country.bytes().all(|b| b.is_ascii_lowercase());
        Text {
            bytes,
            state: State::Opening,
            raw: Vec::new(),
            ended: false,
            asked: asked.and_then(|name| Encoding::for_label_no_replacement(name.as_bytes())),
            country: usable.then_some(country),
            encoding: None,
        }
    }

    /// What the text was read as; plain ASCII is UTF-8 too.
    pub fn encoding(&self) -> String {
        self.encoding.unwrap_or(UTF_8).name().to_lowercase()
    }

    /// Reads until `most` bytes lie there, or the end.
    fn gather(&mut self, most: usize) -> io::Result<()> {
        let mut piece = [0; 8 << 10];
        while self.raw.len() < most && !self.ended {
            let wanted = piece.len().min(most - self.raw.len());
            match self.bytes.read(&mut piece[..wanted]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.raw.extend_from_slice(&piece[..n]),
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(())
    }

    fn begin(&mut self, encoding: &'static Encoding, mark: usize) {
        self.raw.drain(..mark);
        self.encoding = Some(encoding);
        self.state = State::Decoding(encoding.new_decoder_without_bom_handling());
    }

    fn open(&mut self) -> io::Result<()> {
        self.gather(HEAD)?;
        let marked = Encoding::for_bom(&self.raw);
        match (self.asked, marked) {
            // A mark says which half of UTF-16 it is, whoever asks for the other.
            (Some(asked), Some((found, length))) if asked == found || is_16(asked) && is_16(found) => {
                self.begin(found, length);
            }
            (Some(asked), _) => self.begin(asked, 0),
            (None, Some((found, length))) => self.begin(found, length),
            (None, None) => match sixteen(&self.raw) {
                Some(found) => self.begin(found, 0),
                None => self.state = State::Ascii,
            },
        }
        Ok(())
    }

    /// Puts some text behind `into`; false at the end.
    pub fn fill(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            match &mut self.state {
                State::Opening => self.open()?,
                State::Ascii => {
                    self.gather(PIECE)?;
                    let plain = self.raw.iter().position(|byte| !byte.is_ascii()).unwrap_or(self.raw.len());
                    if plain > 0 {
                        into.extend_from_slice(&self.raw[..plain]);
                        self.raw.drain(..plain);
                        return Ok(true);
                    }
                    if self.raw.is_empty() {
                        return Ok(false);
                    }
                    self.gather(WINDOW)?;
                    let found = decide(&self.raw, self.ended, self.country.as_deref());
                    self.begin(found, 0);
                }
                State::Decoding(_) => {
                    self.gather(PIECE)?;
                    return Ok(self.decode(into));
                }
            }
        }
    }

    /// What cannot be read becomes U+FFFD, by which a row is refused.
    fn decode(&mut self, into: &mut Vec<u8>) -> bool {
        let State::Decoding(decoder) = &mut self.state else { return false };
        let (mut read, before) = (0, into.len());
        loop {
            let room = decoder.max_utf8_buffer_length(self.raw.len() - read).unwrap_or(PIECE).max(16);
            let at = into.len();
            into.resize(at + room, 0);
            let (result, more, written, _) = decoder.decode_to_utf8(&self.raw[read..], &mut into[at..], self.ended);
            into.truncate(at + written);
            read += more;
            if result == encoding_rs::CoderResult::InputEmpty {
                break;
            }
        }
        self.raw.clear();
        if self.ended {
            // A decoder is not asked again behind its end.
            self.state = State::Ascii;
        }
        into.len() > before || !self.ended
    }
}

fn is_16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// UTF-16 without a mark: every second byte of digits and delimiters is zero.
fn sixteen(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let many = |zeros: usize| zeros >= 2 && zeros * 8 >= head.len();
    match () {
        _ if many(odd) && even * 10 < odd => Some(UTF_16LE),
        _ if many(even) && odd * 10 < even => Some(UTF_16BE),
        _ => None,
    }
}

/// Looked at for words of a header.
const WORDS_BYTES: usize = 1 << 10;
/// Words that stand in headers of Russian lists. Letters are few there, and statistics of letters err.
const WORDS: [&str; 10] =
    ["телефон", "номер", "мобильный", "имя", "фио", "фамилия", "город", "клиент", "контакт", "адрес"];

/// The encoding in which the beginning has most words of a header, if any has one. Words tell more than line ends do; among
/// equals the lines' ends decide.
fn by_words(window: &[u8], macintosh: bool) -> Option<&'static Encoding> {
    let head = &window[..window.len().min(WORDS_BYTES)];
    let words = |encoding: &'static Encoding| {
        let text = encoding.decode_without_bom_handling(head).0.to_lowercase();
        let parts = text.split(|c: char| !c.is_alphabetic());
        parts.filter(|part| WORDS.contains(part)).count()
    };
    let commonest = match macintosh {
        false => [WINDOWS_1251, IBM866, KOI8_U, X_MAC_CYRILLIC],
        true => [X_MAC_CYRILLIC, WINDOWS_1251, IBM866, KOI8_U],
    };
    let counted = commonest.map(|encoding| (words(encoding), encoding));
    let most = counted.iter().map(|(words, _)| *words).max()?;
    counted.into_iter().find(|(words, _)| *words == most && most > 0).map(|(_, encoding)| encoding)
}

/// What a text is that has a byte above ASCII. One broken letter does not make UTF-8 another encoding.
fn decide(window: &[u8], ended: bool, country: Option<&str>) -> &'static Encoding {
    let (mut good, mut bad, mut rest) = (0_usize, 0_usize, window);
    while !rest.is_empty() {
        let (valid, broken) = match std::str::from_utf8(rest) {
            Ok(text) => (text, 0),
            Err(cause) => {
                let valid = std::str::from_utf8(&rest[..cause.valid_up_to()]).unwrap_or_default();
                // A letter that the window cuts is no fault.
                (valid, cause.error_len().unwrap_or(if ended { 1 } else { rest.len() - valid.len() }))
            }
        };
        good += valid.chars().filter(|c| !c.is_ascii()).count();
        let cut = valid.len() + broken == rest.len() && broken > 0 && !ended;
        bad += usize::from(broken > 0 && !cut);
        rest = &rest[(valid.len() + broken.max(usize::from(broken > 0))).min(rest.len())..];
    }
    if good >= 10 * bad && good > 0 {
        return UTF_8;
    }
    let by_letters = || {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(window, ended);
        detector.guess(country.map(str::as_bytes), Utf8Detection::Deny)
    };
    // Only old Macintosh programs end lines so, and they write in encodings of their own.
    let macintosh = window.contains(&b'\r') && !window.contains(&b'\n');
    if let Some(told) = by_words(window, macintosh) {
        return told;
    }
    let guess = by_letters();
    match guess {
        _ if !macintosh => guess,
        _ if guess == WINDOWS_1251 => X_MAC_CYRILLIC,
        _ if guess == WINDOWS_1252 => MACINTOSH,
        _ => guess,
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
