//! The same words in many encodings, in pieces of any size.

use super::*;

/// Hands on a byte, then two, then three, and again.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1 % 3 + 1;
        let n = self.1.min(into.len()).min(self.0.len());
        into[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

fn read(bytes: &[u8], asked: Option<&str>) -> (String, String) {
    let told = |mut text: Text<&mut dyn Read>| {
        let mut all = Vec::new();
        while text.fill(&mut all).unwrap() {}
        (String::from_utf8(all).unwrap(), text.encoding())
    };
    let whole = told(Text::new(&mut &*bytes, asked, "RU"));
    let pieces = told(Text::new(&mut Pieces(bytes, 0), asked, "RU"));
    assert_eq!(whole, pieces, "the pieces in which bytes come decide nothing");
    whole
}

fn in_encoding(name: &str, text: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(name.as_bytes()).unwrap();
    match () {
        _ if encoding == UTF_16LE => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ if encoding == UTF_16BE => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => encoding.encode(text).0.into_owned(),
    }
}

const LIST: &str = "Телефон;Имя;Город\r\n89990000001;Анна Иванова;Екатеринбург\r\n89990000002;Олег;Омск\r\n";

#[test]
fn encodings_are_found_by_looking() {
    for name in ["utf-8", "utf-16le", "utf-16be", "windows-1251", "ibm866", "koi8-u"] {
        let bytes = in_encoding(name, LIST);
        let (text, found) = read(&bytes, None);
        assert_eq!(text, LIST, "{name}, found {found}");
    }
    for mark in ["utf-8", "utf-16le", "utf-16be"] {
        let (text, found) = read(&in_encoding(mark, &format!("\u{feff}{LIST}")), None);
        assert_eq!((text.as_str(), found.as_str()), (LIST, mark));
    }
}

#[test]
fn few_letters_are_enough() {
    for words in ["Анна", "Олег;Ян", "г. Орёл", "имя", "Ё", "ООО «Ромашка»"] {
        let text = format!("phone;name\n89990000001;{words}\n");
        assert_eq!(read(&in_encoding("windows-1251", &text), None).0, text);
    }
    assert_eq!(read(b"phone\n1\n", None), ("phone\n1\n".to_owned(), "utf-8".to_owned()));
    assert_eq!(read(b"", None).0, "");
}

/// Excel's "CSV (Macintosh)": its line ends are its sign.
#[test]
fn old_macintosh_files_are_known_by_their_line_ends() {
    let text = LIST.replace("\r\n", "\r");
    assert_eq!(read(&in_encoding("x-mac-cyrillic", &text), None), (text.clone(), "x-mac-cyrillic".to_owned()));
    assert_eq!(read(text.as_bytes(), None).0, text);
}

/// The guard: words are asked before line ends. A program of today may end lines as a Macintosh did.
#[test]
fn words_of_a_header_tell_more_than_line_ends() {
    for (name, encoding) in [("windows-1251", "windows-1251"), ("x-mac-cyrillic", "x-mac-cyrillic")] {
        let text = "Телефон,Имя,заметка\r+79990000000,,\r";
        assert_eq!(read(&in_encoding(name, text), None), (text.to_owned(), encoding.to_owned()));
    }
}

/// The guard: `by_words`; letters alone are taken for German ones.
#[test]
fn a_header_tells_what_few_letters_do_not() {
    for name in ["windows-1251", "ibm866", "koi8-u"] {
        let text = "Телефон,Имя,заметка\n,#Н/Д,и \n+79990000000,#Н/Д,#Н/Д\n";
        assert_eq!(read(&in_encoding(name, text), None), (text.to_owned(), name.to_owned()));
    }
}

#[test]
fn letters_may_come_late() {
    let text = format!("phone;name\n{}89990000001;Анна\n", "89990000002;Anna\n".repeat(9000));
    let (read, found) = read(&in_encoding("windows-1251", &text), None);
    assert_eq!(found, "windows-1251");
    assert!(read == text);
}

/// The guard: `decide` weighs good letters against broken ones.
#[test]
fn one_broken_letter_does_not_make_another_encoding() {
    let mut bytes = LIST.as_bytes().to_vec();
    bytes.extend(b"89990000003;\xd0\r\n");
    let (text, found) = read(&bytes, None);
    assert_eq!(found, "utf-8");
    assert!(text.ends_with("89990000003;\u{fffd}\r\n"), "{text}");
}

#[test]
fn a_wish_wins() {
    assert_eq!(read("Анна".as_bytes(), Some("windows-1251")).0, "РђРЅРЅР°");
    let marked = in_encoding("utf-16be", "\u{feff}Анна");
    assert_eq!(read(&marked, Some("utf-16le")), ("Анна".to_owned(), "utf-16be".to_owned()), "the mark knows the half");
    assert_eq!(read("\u{feff}a".as_bytes(), Some("utf-8")).0, "a");
    for (label, name) in [("CP1251", "windows-1251"), ("utf8", "utf-8"), ("ANSI", "windows-1251"), ("koi8-r", "koi8-r")]
    {
        assert_eq!(known(label).unwrap(), name);
    }
    assert!(known("klingon").is_err());
}
