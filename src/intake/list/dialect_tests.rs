//! Beginnings of texts.

use super::*;

#[test]
fn delimiters_and_quotes_are_found_by_looking() {
    for (head, delimiter, quote) in [
        ("phone,name\n+79990000001,Anna\n", ',', Quote::Double),
        ("phone;sum\n89990000001;1,50\n89990000002;2,50\n", ';', Quote::Double),
        ("name\tphone\nAnna, Oleg; Ira\t89990000001\n", '\t', Quote::Double),
        ("phone|name\n+79990000001|Anna\n", '|', Quote::Double),
        ("Anna;89990000001;Omsk, Lenina 5, 1\nOleg;89990000002;Tula\n", ';', Quote::Double),
        ("\"phone\";\"note\"\n\"89990000001\";\"a, b\nc, d\"\n", ';', Quote::Double),
        ("'phone','name'\n'+79990000001','Anna'\n", ',', Quote::Single),
        ("'+79990000001\n'+79990000002\n", ',', Quote::Double),
        ("phone\n+79990000001\n", ',', Quote::Double),
        ("", ',', Quote::Double),
    ] {
        let found = find(head, false, &Dialect::default());
        assert_eq!((char::from(found.marks.delimiter), found.marks.quote), (delimiter, quote), "{head}");
        assert!(!found.instruction);
    }
}

#[test]
fn wishes_and_instructions_win() {
    let wish = Words { delimiter: Some("semicolon"), quote: Some("none"), ..Words::default() }.wish().unwrap();
    let found = find("phone,name\n", false, &wish);
    assert_eq!((found.marks.delimiter, found.marks.quote), (b';', Quote::None));
    for (head, told) in
        [("sep=;\nphone,name\n", true), ("\"sep=\t\"\r\na,b\n", true), ("sep=a\n", false), ("sep\n", false)]
    {
        assert_eq!(find(head, false, &Dialect::default()).instruction, told, "{head:?}");
    }
    for (word, mark) in
        [("tab", Some('\t')), ("\\t", Some('\t')), (";", Some(';')), ("", None), ("a", None), (";;", None)]
    {
        assert_eq!(delimiter_of(word).ok(), mark, "{word}");
    }
    let wrong = Words { encoding: Some("klingon"), ..Words::default() }.wish().unwrap_err();
    assert!(wrong.starts_with("encoding: write the name"), "{wrong}");
}
