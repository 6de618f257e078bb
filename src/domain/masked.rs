//! Hides telephone numbers in whatever is told to somebody who may not see them.
//!
//! It reads an answer as bytes, in pieces, and gives back as many: a digit of a number becomes `*`, but for the last two.
//! A number is a plus with 7 to 15 digits behind it, or, in texts, 10 to 15 digits that stand by themselves, with blanks,
//! brackets and hyphens between them. What is a number of JSON (an instant, a count) and no text is left as it is.

/// Digits of a number: ITU-T E.164, section 6.
const DIGITS_MAX: usize = 15;
const WITH_PLUS_MIN: usize = 7;
const BARE_MIN: usize = 10;
/// A run of digits and what stands between them is looked at whole up to this length.
const RUN_BYTES_MAX: usize = 64;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// JSON, a line of JSON, or events that carry it: texts stand in quotes.
    Json,
    /// A list or plain words.
    Text,
    /// A page: coordinates of its drawings look like bare numbers, so only a plus makes one.
    Html,
}

pub struct Masker {
    written: Written,
    in_text: bool,
    escaped: bool,
    /// The byte before the run.
    before: u8,
    run: Vec<u8>,
    /// The run is longer than any number: it goes on unread.
    too_long: bool,
}

fn in_run(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b' ' | b'(' | b')' | b'-')
}

/// A digit beside such a byte belongs to a word, an instant or a fraction.
fn belongs_to_more(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b',')
}

impl Masker {
    pub fn new(written: Written) -> Self {
        let in_text = written != Written::Json;
        Masker { written, in_text, escaped: false, before: b' ', run: Vec::new(), too_long: false }
    }

    /// The bytes so far, but for a run that may go on in the next piece.
    pub fn piece(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + RUN_BYTES_MAX);
        for byte in bytes {
            self.take(*byte, &mut out);
        }
        out
    }

    /// What is left when nothing more comes.
    pub fn end(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.close(b' ', &mut out);
        out
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        if in_run(byte) && !(self.run.is_empty() && byte == b' ') {
            if self.run.len() < RUN_BYTES_MAX && !self.too_long {
                self.run.push(byte);
                return;
            }
            // Nobody writes a number so; whoever wants to hide one in it does not.
            self.too_long = true;
            self.run.push(byte);
            let hidden = self.in_text && self.written != Written::Html;
            out.extend(self.run.drain(..).map(|byte| if hidden && byte.is_ascii_digit() { b'*' } else { byte }));
            return;
        }
        self.close(byte, out);
        if byte == b'+' {
            self.run.push(byte);
            return;
        }
        self.before = byte;
        if self.written == Written::Json {
            match byte {
                b'\n' => (self.in_text, self.escaped) = (false, false),
                // The letter of an escaped line break is no letter.
                _ if self.escaped => (self.escaped, self.before) = (false, b' '),
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                _ => {}
            }
        }
        out.push(byte);
    }

    /// The run ends before `next`.
    fn close(&mut self, next: u8, out: &mut Vec<u8>) {
        if self.too_long {
            self.too_long = false;
            self.before = b' ';
        }
        if self.run.is_empty() {
            return;
        }
        let digits = self.run.iter().filter(|byte| byte.is_ascii_digit()).count();
        let plus = self.run[0] == b'+';
        let last = self.run.last().copied().unwrap_or(b' ');
        let apart = |byte: u8, beside: u8| !beside.is_ascii_digit() || !belongs_to_more(byte);
        let alone = apart(self.before, self.run[0]) && (apart(next, last) || matches!(next, b',' | b'.'));
        let hidden = match plus {
            true => (WITH_PLUS_MIN..=DIGITS_MAX).contains(&digits),
            false => {
                self.in_text && self.written != Written::Html && alone && (BARE_MIN..=DIGITS_MAX).contains(&digits)
            }
        };
        let mut left = digits;
        for byte in self.run.drain(..) {
            let digit = byte.is_ascii_digit();
            out.push(if digit && hidden && left > 2 { b'*' } else { byte });
            left -= usize::from(digit);
            self.before = byte;
        }
    }
}

/// A whole text at once.
pub fn masked(text: &str, written: Written) -> String {
    let mut masker = Masker::new(written);
    let mut out = masker.piece(text.as_bytes());
    out.extend(masker.end());
    // Only ASCII digits were replaced, by ASCII.
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> String {
        masked(text, Written::Json)
    }

    /// The guard: `hidden`.
    #[test]
    fn numbers_are_hidden_however_they_are_written() {
        assert_eq!(json(r#"{"number":"+79990000001"}"#), r#"{"number":"+*********01"}"#);
        assert_eq!(json(r#"{"n":"8 (999) 000-00-01."}"#), r#"{"n":"* (***) ***-**-01."}"#);
        assert_eq!(json(r#"{"n":"call 89990000001, please"}"#), r#"{"n":"call *********01, please"}"#);
        assert_eq!(json(r#"{"\"n":"a\\","m":"79990000001"}"#), r#"{"\"n":"a\\","m":"*********01"}"#);
        assert_eq!(json(r#"{"n":"a\n89990000001"}"#), r#"{"n":"a\n*********01"}"#);
        let hyphens = "-".repeat(70);
        assert!(!json(&format!("{{\"n\":\"1{hyphens}89990000001\"}}")).contains("8999"));
        assert_eq!(masked("line,+79990000001,x\n", Written::Text), "line,+*********01,x\n");
        assert_eq!(masked("a;8-999-000-00-01", Written::Text), "a;*-***-***-**-01");
        assert_eq!(masked("<a>+7 999 000-00-01</a>", Written::Html), "<a>+* *** ***-**-01</a>");
        assert_eq!(masked("+79990000001+79990000002", Written::Text), "+*********01+*********02");
    }

    #[test]
    fn what_is_no_number_stays() {
        for text in [
            r#"{"at":1763814000000,"session_id":12345678901}"#,
            r#"{"at":"2026-11-22T12:00:00.000Z","told":"2026-11-22 12:00"}"#,
            r#"{"id":"att_0123456789012","cut":"con_0123456789abc"}"#,
            r#"{"share":"0.1234567890123","delta":"+12.5"}"#,
        ] {
            assert_eq!(json(text), text);
        }
        let drawing = "<path d=\"M10 20 30 40 50 60 70 80\"/>";
        assert_eq!(masked(drawing, Written::Html), drawing);
        assert_eq!(masked("2026-11-22T12:00:00Z;1", Written::Text), "2026-11-22T12:00:00Z;1");
    }

    proptest! {
        /// Pieces may be cut anywhere, and no byte is lost or added.
        #[test]
        fn pieces_make_the_whole(text in "[-+0-9 ()a\"\\\\:.,ё\n]{0,80}", cut in 0usize..80) {
            for written in [Written::Json, Written::Text, Written::Html] {
                let whole = masked(&text, written);
                let bytes = text.as_bytes();
                let cut = cut.min(bytes.len());
                let mut masker = Masker::new(written);
                let mut out = masker.piece(&bytes[..cut]);
                out.extend(masker.piece(&bytes[cut..]));
                out.extend(masker.end());
                prop_assert_eq!(out.len(), text.len());
                prop_assert_eq!(String::from_utf8_lossy(&out).into_owned(), whole);
            }
        }

        #[test]
        fn a_number_is_never_told(digits in "[1-9][0-9]{6,14}") {
            let whole = format!("+{digits}");
            for written in [Written::Json, Written::Text, Written::Html] {
                let told = masked(&format!("\"{whole}\""), written);
                prop_assert!(!told.contains(&whole), "{}", told);
            }
        }
    }
}
