//! A sheet of an Excel workbook as records. Its cells are streamed; its table of strings is not, so what the file
//! unpacks to is bounded before anybody reads it.

use super::records::{Flaw, Record};
use calamine::{Data, DataRef, Reader, SheetVisible, Xlsx, XlsxError};
use flate2::read::DeflateDecoder;
use std::io::{self, Cursor, Read};

/// Digits up to which a spreadsheet holds a whole number exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// A cell further to the right is a slip.
pub const COLUMNS_MAX: usize = 1000;

#[derive(Debug, thiserror::Error)]
pub enum NoWorkbook {
    #[error("a packed file that is no Excel workbook; unpack it, or save the list as .xlsx or CSV UTF-8")]
    NotExcel,
    #[error("the workbook is damaged: {0}; open it in Excel and save it again")]
    Damaged(String),
    #[error("the workbook unpacks to more than {0} MiB; split it, or save the sheet as CSV UTF-8")]
    TooLarge(u64),
    #[error("the workbook has no sheet `{asked}`; it has: {found}")]
    NoSheet { asked: String, found: String },
}

/// Which sheet was read, and which others have something in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheets {
    pub read: String,
    pub others: Vec<String>,
}

/// Hands on each row that holds anything; `take` may end the reading.
pub fn each<E>(
    bytes: Vec<u8>,
    sheet: Option<&str>,
    mib: u64,
    take: &mut dyn FnMut(&mut Record) -> Result<(), E>,
) -> Result<Result<Sheets, E>, NoWorkbook> {
    bounded(&bytes, mib)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|cause| match cause {
        XlsxError::FileNotFound(_) | XlsxError::RelationshipNotFound | XlsxError::Zip(_) => NoWorkbook::NotExcel,
        other => NoWorkbook::Damaged(other.to_string()),
    })?;
    let damaged = |cause: XlsxError| NoWorkbook::Damaged(cause.to_string());
    let all = book.sheet_names();
    let visible: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    let read = match sheet {
        Some(asked) => all.iter().find(|name| name.trim() == asked.trim()).cloned(),
        None => visible.first().or(all.first()).cloned(),
    };
    let Some(read) = read else {
        let asked = sheet.unwrap_or_default().to_owned();
        return Err(NoWorkbook::NoSheet { asked, found: all.join(", ") });
    };
    let others = visible.into_iter().filter(|name| *name != read).collect();
    let mut cells = match book.worksheet_cells_reader(&read) {
        Ok(cells) => cells,
        // A sheet of nothing but charts.
        Err(XlsxError::NotAWorksheet(_)) => return Ok(Ok(Sheets { read, others })),
        Err(cause) => return Err(damaged(cause)),
    };
    let mut record = Record::default();
    let mut line = 0;
    while let Some(cell) = cells.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let (row, column) = (u64::from(row) + 1, column as usize);
        let value = shown(cell.get_value());
        if value.is_empty() {
            continue;
        }
        if row != line {
            if row < line {
                return Err(NoWorkbook::Damaged(format!("row {row} stands below row {line}")));
            }
            if line > 0
                && let Err(cause) = take(&mut record)
            {
                return Ok(Err(cause));
            }
            record.begin(row);
            line = row;
        }
        if column >= COLUMNS_MAX {
            record.flaw = Some(Flaw::TooWide);
            continue;
        }
        if column < record.len() {
            return Err(NoWorkbook::Damaged(format!("a cell of row {row} stands twice")));
        }
        while record.len() < column {
            record.push("");
        }
        record.push(&value);
    }
    if line > 0
        && let Err(cause) = take(&mut record)
    {
        return Ok(Err(cause));
    }
    Ok(Ok(Sheets { read, others }))
}

/// A cell as somebody would read it, a number with all its digits.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < EXACT => format!("{number:.0}"),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            match (hour, minute, second) {
                (0, 0, 0) => date,
                _ => format!("{date} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        other => Data::from(other.clone()).to_string(),
    }
}

/// Unpacks every part once and counts: what the table of contents says of sizes is somebody's word.
fn bounded(file: &[u8], mib: u64) -> Result<(), NoWorkbook> {
    let mut left = mib << 20;
    for part in parts(file).ok_or(NoWorkbook::NotExcel)? {
        let counted = match part.method {
            8 => io::copy(&mut DeflateDecoder::new(part.packed).take(left + 1), &mut io::sink()),
            _ => Ok(part.packed.len() as u64),
        };
        // A damaged part is told when it is read, if it is.
        let size = counted.unwrap_or(0);
        left = left.checked_sub(size).ok_or(NoWorkbook::TooLarge(mib))?;
    }
    Ok(())
}

struct Part<'a> {
    method: u16,
    packed: &'a [u8],
}

/// The parts of a zip file, as its table of contents lists them.
fn parts(file: &[u8]) -> Option<Vec<Part<'_>>> {
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?)));
    let word = |at: usize| usize::try_from(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?)).ok();
    let earliest = file.len().saturating_sub(22 + 65_535);
    let end = (earliest..=file.len().checked_sub(22)?).rev().find(|at| file[*at..].starts_with(b"PK\x05\x06"))?;
    let (count, mut at) = (half(end + 10)?, word(end + 16)?);
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        if !file.get(at..)?.starts_with(b"PK\x01\x02") {
            return None;
        }
        let (method, packed, local) = (half(at + 10)?, word(at + 20)?, word(at + 42)?);
        let from = local.checked_add(30 + half(local.checked_add(26)?)? + half(local.checked_add(28)?)?)?;
        // Deflate knows its own end, where a size is written elsewhere.
        let rest = file.get(from..)?;
        parts.push(Part { method: u16::try_from(method).ok()?, packed: &rest[..packed.min(rest.len())] });
        at = at.checked_add(46 + half(at + 28)? + half(at + 30)? + half(at + 32)?)?;
    }
    Some(parts)
}

#[cfg(test)]
#[path = "workbook_tests.rs"]
mod tests;
