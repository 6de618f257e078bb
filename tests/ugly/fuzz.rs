//! Mutated files for as long as somebody lets it run: nothing panics, no row vanishes, the pieces in which bytes
//! come decide nothing, a number that was read is read again as itself, and is the one that stood there.

use super::{conserved, files, read};
use halo::domain::list::{Dialect, ListRules, Quote};
use halo::intake::list::Record;
use halo::intake::list::records::{Marks, Records, Source, of_text};
use halo::intake::list::text::Text;
use halo::intake::phone;
use std::io::Read;
use std::time::{Duration, Instant};

const SECONDS: u64 = 6;
/// A failing input is made shorter for so long.
const SHORTEN: Duration = Duration::from_secs(10);
/// Larger inputs only cost time.
const BYTES_MAX: usize = 16 << 10;

/// Dice that a seed repeats (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Bytes in pieces of any size.
struct Pieces<'a> {
    bytes: &'a [u8],
    dice: Dice,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = (1 + self.dice.below(40)).min(into.len()).min(self.bytes.len());
        into[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}

const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b"'",
    b",",
    b";",
    b"\t",
    b"|",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xd0",
    b"\xc0\xe0",
    b"sep=;\n",
    b"+79990000001",
    b"8,999E+10",
    b"phone",
    b"=\"1\"",
    b"#N/A",
    b"PK\x03\x04",
    b"\x1f\x8b",
    "Телефон".as_bytes(),
    "\u{a0}".as_bytes(),
];

fn mutated(dice: &mut Dice, corpus: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = dice.one(corpus).1.clone();
    bytes.truncate(BYTES_MAX);
    for _ in 0..1 + dice.below(8) {
        let at = dice.below(bytes.len() + 1);
        let until = (at + dice.below(60)).min(bytes.len());
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.drain(at..until)),
            2 => drop(bytes.splice(at..at, dice.one(TOKENS).iter().copied())),
            3 => {
                let piece = bytes[at..until].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let other = &dice.one(corpus).1;
                let from = dice.below(other.len() + 1);
                let piece: Vec<u8> = other[from..].iter().take(200).copied().collect();
                bytes.splice(at..at, piece);
            }
            5 => bytes.truncate(at),
            _ if at < bytes.len() => bytes[at] = dice.next() as u8,
            _ => {}
        }
    }
    bytes
}

fn rules(dice: &mut Dice) -> ListRules {
    let mut rules = ListRules::default();
    if dice.below(3) == 0 {
        rules.dialect = Dialect {
            encoding: [None, Some("utf-8"), Some("windows-1251"), Some("utf-16le")][dice.below(4)].map(str::to_owned),
            delimiter: [None, Some(','), Some(';'), Some('|')][dice.below(4)],
            quote: [None, Some(Quote::None), Some(Quote::Single)][dice.below(3)],
            header: [None, Some(true), Some(false)][dice.below(3)],
            ..Dialect::default()
        };
        if dice.below(2) == 0 {
            rules.columns.insert("phone".to_owned(), (1 + dice.below(3)).to_string());
        }
    }
    rules
}

/// What is tried: a file, how it is read, and how its bytes come in pieces.
struct Case {
    bytes: Vec<u8>,
    rules: ListRules,
    pieces: u64,
}

impl Case {
    fn of(seed: u64, corpus: &[(String, Vec<u8>)]) -> Self {
        let dice = &mut Dice(seed);
        Case { bytes: mutated(dice, corpus), rules: rules(dice), pieces: dice.next() }
    }

    fn tried(&self, bytes: &[u8]) -> Result<(), String> {
        let tried = std::panic::catch_unwind(|| one(bytes, &self.rules, self.pieces));
        tried.unwrap_or_else(|_| Err("it panicked, as told above".to_owned()))
    }

    /// Pieces are taken out as long as it still fails: whoever looks for the fault has little to read.
    fn shortest(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let until = Instant::now() + SHORTEN;
        let mut size = bytes.len() / 2;
        while size > 0 {
            let mut at = 0;
            while at < bytes.len() && Instant::now() < until {
                let without = [&bytes[..at], &bytes[(at + size).min(bytes.len())..]].concat();
                match self.tried(&without) {
                    Err(_) => bytes = without,
                    Ok(()) => at += size,
                }
            }
            size /= 2;
        }
        bytes
    }
}

/// The digits of a cell in which nothing but a number of Russia is written, in one of the ways in which people write it;
/// nothing of cells that somebody has to interpret.
fn plainly(cell: &str) -> Option<String> {
    let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
    let between = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+()-'".contains(c);
    let ways = digits.len() == 11 && digits.starts_with(['7', '8']) || digits.len() == 10 && digits.starts_with('9');
    (ways && cell.chars().all(between)).then(|| digits[digits.len() - 10..].to_owned())
}

fn one(bytes: &[u8], rules: &ListRules, seed: u64) -> Result<(), String> {
    streamed(bytes, seed)?;
    let whole = read(bytes, rules);
    let pieces = read(Pieces { bytes, dice: Dice(seed) }, rules);
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            conserved(&whole)?;
            if whole != pieces {
                return Err("read in pieces, it is another list".to_owned());
            }
            let home = phone::region("RU").unwrap();
            for row in &whole.accepted {
                if phone::parse(row.number.as_str(), home).as_ref() != Ok(&row.number) {
                    return Err(format!("{} is not read as itself", row.number.as_str()));
                }
                if let Some(digits) = plainly(&row.raw)
                    && row.number.as_str().strip_prefix("+7").is_some_and(|own| own != digits)
                {
                    return Err(format!("{:?} is read as {}", row.raw, row.number.as_str()));
                }
            }
            Ok(())
        }
        (Err(whole), Err(pieces)) if whole.to_string() == pieces.to_string() => Ok(()),
        (whole, pieces) => Err(format!("whole {:?}, in pieces {:?}", whole.err(), pieces.err())),
    }
}

/// Text that comes a few letters at a time.
struct Trickle<'a> {
    text: &'a str,
    dice: Dice,
}

impl Source for Trickle<'_> {
    fn fill(&mut self, into: &mut Vec<u8>) -> std::io::Result<bool> {
        let letters = 1 + self.dice.below(40);
        let end = self.text.char_indices().nth(letters).map_or(self.text.len(), |(at, _)| at);
        let (piece, rest) = self.text.split_at(end);
        into.extend_from_slice(piece.as_bytes());
        self.text = rest;
        Ok(!piece.is_empty())
    }
}

/// A file is looked at whole up to its first 64 KiB: what lies behind is read like this.
fn streamed(bytes: &[u8], seed: u64) -> Result<(), String> {
    let mut dice = Dice(seed);
    let times = if dice.below(40) == 0 && !bytes.is_empty() { 1 + (160 << 10) / bytes.len().max(64) } else { 1 };
    let bytes = bytes.repeat(times);
    let mut decoded = Vec::new();
    let mut text = Text::new(Pieces { bytes: &bytes, dice: Dice(seed) }, Some("utf-8"), "RU");
    while Source::fill(&mut text, &mut decoded).map_err(|cause| cause.to_string())? {}
    let whole = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
    if decoded != whole.as_bytes() {
        return Err("decoded in pieces, it is another text".to_owned());
    }
    let marks = Marks {
        delimiter: *dice.one(b",;\t|"),
        quote: *dice.one(&[Quote::Double, Quote::Double, Quote::Single, Quote::None]),
    };
    let mut records = Records::new(Trickle { text: &whole, dice }, marks);
    let mut record = Record::default();
    for at_once in of_text(&whole, marks, usize::MAX) {
        if !records.next(&mut record).map_err(|cause| cause.to_string())? || record != at_once {
            return Err(format!("line {}: cut in pieces, it is another row", at_once.line));
        }
    }
    match records.next(&mut record).map_err(|cause| cause.to_string())? {
        true => Err(format!("line {}: cut in pieces, there is one row more", record.line)),
        false => Ok(()),
    }
}

fn asked(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.trim().parse().unwrap_or_else(|_| panic!("{name}: `{text}` is no whole number")))
}

/// One input, by its seed. Faults are told with the shortest input that shows them, and the command that repeats them.
fn attempt(seed: u64, corpus: &[(String, Vec<u8>)]) {
    let case = Case::of(seed, corpus);
    let Err(cause) = case.tried(&case.bytes) else { return };
    let shortest = case.shortest();
    let cause = case.tried(&shortest).err().unwrap_or(cause);
    panic!(
        "{cause}\n  input: b\"{}\"\n  rules: {:?}\n  again: HALO_FUZZ_SEED={seed} cargo test --test ugly fuzz",
        shortest.escape_ascii(),
        case.rules
    );
}

/// It was seen to find a phone column that swaps two digits, within a second.
#[test]
fn fuzz() {
    let corpus = files();
    if let Some(seed) = asked("HALO_FUZZ_SEED") {
        return attempt(seed, &corpus);
    }
    let seconds = asked("HALO_FUZZ_SECONDS").unwrap_or(SECONDS);
    let until = Instant::now() + Duration::from_secs(seconds);
    // By default always the same inputs, as far as the time reaches; a longer run draws its own.
    let first = if seconds > SECONDS { u64::from(std::process::id()) << 32 } else { 0 };
    let mut tried = 0_u64;
    while Instant::now() < until {
        attempt(first + tried, &corpus);
        tried += 1;
    }
    println!("{tried} files in {seconds} s");
    assert!(tried > 20, "too slow to say anything: {tried} files");
}
