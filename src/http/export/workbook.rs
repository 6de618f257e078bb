//! A workbook (XLSX) that is written while its rows come: a ZIP whose sizes stand behind each part.
//!
//! Texts stand in their cells as texts, which no spreadsheet runs as a formula, and a number of E.164 keeps its plus.

use super::sheet::text;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use serde_json::{Number, Value};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Rows of a sheet, the header included: Excel knows no more.
const SHEET_ROWS_MAX: usize = 1_048_576;
/// Letters of a cell: Excel knows no more.
const CELL_CHARS_MAX: usize = 32_767;
/// Whole numbers above it lose digits in a spreadsheet, and are written as texts.
const WHOLE_MAX: u64 = 1 << 53;

const SHEET: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
    <worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>";
const SHEET_END: &str = "</sheetData></worksheet>";
const RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
    <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">";
const OF_DOCUMENT: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

struct Part {
    name: String,
    crc: u32,
    packed: u32,
    size: u32,
    offset: u32,
}

pub struct Workbook {
    header: Vec<String>,
    parts: Vec<Part>,
    sheets: usize,
    /// Of the sheet that is written, and of any.
    rows: usize,
    rows_max: usize,
    /// Bytes that have left.
    written: u64,
    packing: DeflateEncoder<Vec<u8>>,
    crc: Crc,
    packed: u64,
}

fn too_large() -> io::Error {
    io::Error::other("a workbook of more than 4 GiB: take CSV")
}

impl Workbook {
    pub fn new(header: Vec<String>) -> io::Result<(Self, Vec<u8>)> {
        Workbook::of_sheets(header, SHEET_ROWS_MAX)
    }

    fn of_sheets(header: Vec<String>, rows_max: usize) -> io::Result<(Self, Vec<u8>)> {
        let packing = DeflateEncoder::new(Vec::new(), Compression::fast());
        let (parts, crc) = (Vec::new(), Crc::new());
        let mut book = Workbook { header, parts, sheets: 0, rows: 0, rows_max, written: 0, packing, crc, packed: 0 };
        let mut out = Vec::new();
        book.begin_sheet(&mut out)?;
        book.written += out.len() as u64;
        Ok((book, out))
    }

    pub fn rows(&mut self, rows: Vec<Vec<Value>>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let begins = self.written;
        for row in rows {
            if self.rows == self.rows_max {
                self.end_part(SHEET_END, &mut out)?;
                self.written = begins + out.len() as u64;
                self.begin_sheet(&mut out)?;
            }
            self.row(&row)?;
        }
        self.drain(&mut out);
        self.written = begins + out.len() as u64;
        Ok(out)
    }

    pub fn end(mut self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let begins = self.written;
        self.end_part(SHEET_END, &mut out)?;
        self.written = begins + out.len() as u64;
        let (mut types, mut sheets, mut relations) = (String::new(), String::new(), RELATIONS.to_owned());
        for n in 1..=self.sheets {
            let put = "writing to a String cannot fail";
            write!(
                types,
                "<Override PartName=\"/xl/worksheets/sheet{n}.xml\" \
                 ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
            )
            .expect(put);
            write!(sheets, "<sheet name=\"Sheet{n}\" sheetId=\"{n}\" r:id=\"rId{n}\"/>").expect(put);
            write!(
                relations,
                "<Relationship Id=\"rId{n}\" Type=\"{OF_DOCUMENT}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>"
            )
            .expect(put);
        }
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
        let parts = [
            (
                "[Content_Types].xml",
                format!(
                    "{xml}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
                     <Default Extension=\"rels\" \
                     ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                     <Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" \
                     ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>\
                     {types}</Types>"
                ),
            ),
            (
                "_rels/.rels",
                format!(
                    "{RELATIONS}<Relationship Id=\"rId1\" Type=\"{OF_DOCUMENT}/officeDocument\" \
                     Target=\"xl/workbook.xml\"/></Relationships>"
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    "{xml}<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
                     xmlns:r=\"{OF_DOCUMENT}\"><sheets>{sheets}</sheets></workbook>"
                ),
            ),
            ("xl/_rels/workbook.xml.rels", format!("{relations}</Relationships>")),
        ];
        for (name, content) in parts {
            self.begin_part(name, &mut out)?;
            self.end_part(&content, &mut out)?;
            self.written = begins + out.len() as u64;
        }
        self.directory(&mut out)?;
        Ok(out)
    }

    fn begin_sheet(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.sheets += 1;
        self.rows = 0;
        self.begin_part(&format!("xl/worksheets/sheet{}.xml", self.sheets), out)?;
        self.put(SHEET)?;
        let header: Vec<Value> = self.header.iter().cloned().map(Value::String).collect();
        self.row(&header)?;
        self.drain(out);
        Ok(())
    }

    fn row(&mut self, row: &[Value]) -> io::Result<()> {
        self.rows += 1;
        let mut xml = String::from("<row>");
        for cell in row {
            match cell {
                Value::Null => xml.push_str("<c/>"),
                Value::Bool(yes) => {
                    xml.push_str(if *yes { "<c t=\"b\"><v>1</v></c>" } else { "<c t=\"b\"><v>0</v></c>" })
                }
                Value::Number(n) if !is_long(n) => {
                    xml.push_str("<c><v>");
                    xml.push_str(&n.to_string());
                    xml.push_str("</v></c>");
                }
                other => {
                    xml.push_str("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">");
                    text(other).chars().take(CELL_CHARS_MAX).for_each(|c| escaped(c, &mut xml));
                    xml.push_str("</t></is></c>");
                }
            }
        }
        xml.push_str("</row>");
        self.put(&xml)
    }

    fn put(&mut self, xml: &str) -> io::Result<()> {
        self.crc.update(xml.as_bytes());
        self.packing.write_all(xml.as_bytes())
    }

    /// What is packed already.
    fn drain(&mut self, out: &mut Vec<u8>) {
        let packed = self.packing.get_mut();
        self.packed += packed.len() as u64;
        out.append(packed);
    }

    /// `written` counts what left before `out` began to be filled, or before this part.
    fn begin_part(&mut self, name: &str, out: &mut Vec<u8>) -> io::Result<()> {
        let offset = u32::try_from(self.written).map_err(|_| too_large())?;
        self.parts.push(Part { name: name.to_owned(), crc: 0, packed: 0, size: 0, offset });
        self.packed = 0;
        self.crc = Crc::new();
        out.extend_from_slice(b"PK\x03\x04");
        self.description(out, None, name);
        out.extend_from_slice(name.as_bytes());
        Ok(())
    }

    fn end_part(&mut self, last: &str, out: &mut Vec<u8>) -> io::Result<()> {
        self.put(last)?;
        let fresh = DeflateEncoder::new(Vec::new(), Compression::fast());
        let rest = std::mem::replace(&mut self.packing, fresh).finish()?;
        self.packed += rest.len() as u64;
        out.extend_from_slice(&rest);
        let packed = u32::try_from(self.packed).map_err(|_| too_large())?;
        let (crc, size) = (self.crc.sum(), self.crc.amount());
        out.extend_from_slice(b"PK\x07\x08");
        [crc, packed, size].iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
        if let Some(part) = self.parts.last_mut() {
            (part.crc, part.packed, part.size) = (crc, packed, size);
        }
        Ok(())
    }

    /// Version, flags (sizes stand behind, names are UTF-8), method, time, sums, lengths.
    fn description(&self, out: &mut Vec<u8>, part: Option<&Part>, name: &str) {
        let (crc, packed, size) = part.map_or((0, 0, 0), |part| (part.crc, part.packed, part.size));
        // 1980-01-01, the first day that a ZIP knows.
        for short in [20_u16, 0x0808, 8, 0, 0x0021] {
            out.extend_from_slice(&short.to_le_bytes());
        }
        [crc, packed, size].iter().for_each(|n: &u32| out.extend_from_slice(&n.to_le_bytes()));
        [name.len() as u16, 0].iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
    }

    fn directory(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let begins = u32::try_from(self.written).map_err(|_| too_large())?;
        let from = out.len();
        for part in &self.parts {
            out.extend_from_slice(b"PK\x01\x02");
            out.extend_from_slice(&20_u16.to_le_bytes());
            self.description(out, Some(part), &part.name);
            // Comment, disk, attributes.
            out.extend_from_slice(&[0; 10]);
            out.extend_from_slice(&part.offset.to_le_bytes());
            out.extend_from_slice(part.name.as_bytes());
        }
        let (size, parts) = ((out.len() - from) as u32, self.parts.len() as u16);
        out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        [parts, parts].iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
        [size, begins].iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
        out.extend_from_slice(&[0; 2]);
        Ok(())
    }
}

fn is_long(n: &Number) -> bool {
    n.as_u64().or(n.as_i64().map(i64::unsigned_abs)).is_some_and(|whole| whole >= WHOLE_MAX)
}

/// XML holds no control characters.
fn escaped(c: char, xml: &mut String) {
    match c {
        '<' => xml.push_str("&lt;"),
        '>' => xml.push_str("&gt;"),
        '&' => xml.push_str("&amp;"),
        '\t' | '\n' | '\r' => xml.push(c),
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
        c => xml.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::{Reader, Xlsx, open_workbook_from_rs};
    use serde_json::json;
    use std::io::Cursor;

    #[test]
    fn a_workbook_is_read_by_another_program_as_it_was_written() {
        let header = vec!["phone".to_owned(), "долг <&>".to_owned()];
        let (mut book, mut bytes) = Workbook::of_sheets(header, 3).unwrap();
        let rows = |n: u64| vec![json!(format!("+7999000000{n}")), json!("=1+1\u{1}\n\"x\"")];
        bytes.extend(book.rows(vec![rows(1)]).unwrap());
        bytes.extend(book.rows(vec![rows(2), vec![json!(12), Value::Null]]).unwrap());
        bytes.extend(book.rows(vec![vec![json!(true), json!(u64::MAX)], vec![json!(1.5), json!(-3)]]).unwrap());
        bytes.extend(book.end().unwrap());
        let mut read: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        assert_eq!(read.sheet_names(), ["Sheet1", "Sheet2", "Sheet3"]);
        let mut told = Vec::new();
        for sheet in read.sheet_names() {
            let range = read.worksheet_range(&sheet).unwrap();
            told.extend(range.rows().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")));
        }
        let header = "phone|долг <&>";
        let text = "=1+1\n\"x\"";
        let (one, two) = (format!("+79990000001|{text}"), format!("+79990000002|{text}"));
        let most = format!("true|{}", u64::MAX);
        assert_eq!(told, [header, &one, &two, header, "12|", &most, header, "1.5|-3"]);
    }
}
