//! Rows of a list between its reading and its storing: in memory while they are few, in a file without a name then.

use super::lists::Unnamed;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

/// Kept in memory.
const MEMORY_BYTES_MAX: usize = 1 << 20;
/// Written at once.
const PIECE_BYTES: usize = 1 << 18;

/// Records, one behind the other.
#[derive(Default)]
pub struct Pack {
    file: Option<Mutex<Unnamed>>,
    /// Bytes of it.
    filed: u64,
    tail: Vec<u8>,
}

impl Pack {
    /// One record; `write` puts its cells.
    pub fn push(&mut self, write: impl FnOnce(&mut Cells)) -> io::Result<()> {
        let mut cells = Cells(std::mem::take(&mut self.tail));
        let begins = cells.0.len();
        cells.0.extend_from_slice(&[0; 4]);
        write(&mut cells);
        let length = (cells.0.len() - begins - 4) as u32;
        cells.0[begins..begins + 4].copy_from_slice(&length.to_le_bytes());
        self.tail = cells.0;
        if self.tail.len() < if self.file.is_some() { PIECE_BYTES } else { MEMORY_BYTES_MAX } {
            return Ok(());
        }
        if self.file.is_none() {
            self.file = Some(Mutex::new(Unnamed::new()?));
        }
        if let Some(file) = &mut self.file {
            file.get_mut().unwrap_or_else(PoisonError::into_inner).write_all(&self.tail)?;
        }
        self.filed += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }

    /// Every record from the beginning, until `take` says that nobody wants more. One reader at a time.
    pub fn each(&self, take: impl FnMut(Record<'_>) -> io::Result<bool>) -> io::Result<()> {
        self.each_from(0, take).map(drop)
    }

    /// The same from a place on that an earlier reading returned (0 is the beginning); returns where this one ended.
    pub fn each_from(&self, from: u64, mut take: impl FnMut(Record<'_>) -> io::Result<bool>) -> io::Result<u64> {
        let mut file = self.file.as_ref().map(|file| file.lock().unwrap_or_else(PoisonError::into_inner));
        let in_tail = from.saturating_sub(self.filed) as usize;
        let tail = Cursor::new(self.tail.get(in_tail..).unwrap_or_default());
        let read = match &mut file {
            Some(file) if from < self.filed => {
                file.seek(SeekFrom::Start(from))?;
                let head: &mut Unnamed = file;
                records(BufReader::with_capacity(PIECE_BYTES, head.chain(tail)), &mut take)?
            }
            _ => records(tail, &mut take)?,
        };
        Ok(from + read)
    }
}

/// Returns how many bytes were taken.
fn records(mut from: impl BufRead, take: &mut impl FnMut(Record<'_>) -> io::Result<bool>) -> io::Result<u64> {
    let (mut record, mut taken) = (Vec::new(), 0);
    while !from.fill_buf()?.is_empty() {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        record.resize(u32::from_le_bytes(length) as usize, 0);
        from.read_exact(&mut record)?;
        taken += 4 + record.len() as u64;
        if !take(Record(&record))? {
            break;
        }
    }
    Ok(taken)
}

/// A record while it is written.
pub struct Cells(Vec<u8>);

impl Cells {
    /// Seven bits a byte, the sign in the lowest one: most are short.
    pub fn int(&mut self, value: i64) {
        self.short(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    fn short(&mut self, mut rest: u64) {
        while rest > 0x7F {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    pub fn optional_int(&mut self, value: Option<i64>) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            self.int(value);
        }
    }

    pub fn text(&mut self, value: &str) {
        self.short(value.len() as u64 + 1);
        self.0.extend_from_slice(value.as_bytes());
    }

    pub fn optional_text(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.text(value),
            None => self.short(0),
        }
    }
}

/// A record while it is read: its cells in the order in which they were put.
pub struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    fn bytes(&mut self, n: usize) -> io::Result<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(n).ok_or(io::ErrorKind::InvalidData)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub fn int(&mut self) -> io::Result<i64> {
        let value = self.short()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn short(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.bytes(1)?[0];
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    pub fn optional_int(&mut self) -> io::Result<Option<i64>> {
        if self.bytes(1)?[0] == 1 { self.int().map(Some) } else { Ok(None) }
    }

    pub fn optional_text(&mut self) -> io::Result<Option<&'a str>> {
        match self.short()? {
            0 => Ok(None),
            more => Ok(Some(std::str::from_utf8(self.bytes(more as usize - 1)?).map_err(io::Error::other)?)),
        }
    }

    pub fn text(&mut self) -> io::Result<&'a str> {
        self.optional_text()?.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_as_they_went_in_however_many() {
        for rows in [0_i64, 3, 120_000] {
            let mut pack = Pack::default();
            for n in 0..rows {
                let name = (n % 2 == 0).then(|| format!("имя {n}"));
                pack.push(|cells| {
                    cells.int(n);
                    cells.optional_text(name.as_deref());
                    cells.text("");
                    cells.optional_int((n % 3 == 0).then_some(-n));
                })
                .unwrap();
            }
            assert_eq!(pack.file.is_some(), rows == 120_000, "long lists are not in memory");
            // Twice: a batch that failed is applied again.
            for _ in 0..2 {
                let mut n = 0;
                let read = pack.each(|mut record| {
                    assert_eq!(record.int()?, n);
                    assert_eq!(record.optional_text()?.map(str::to_owned), (n % 2 == 0).then(|| format!("имя {n}")));
                    assert_eq!(record.text()?, "");
                    assert_eq!(record.optional_int()?, (n % 3 == 0).then_some(-n));
                    assert!(record.int().is_err(), "the record is over");
                    n += 1;
                    Ok(n < 50_000)
                });
                read.unwrap();
                assert_eq!(n, rows.min(50_000));
            }
            // A page at a time.
            let (mut at, mut seen) = (0, 0);
            loop {
                let mut page = 0;
                at = pack
                    .each_from(at, |mut record| {
                        assert_eq!(record.int()?, seen);
                        (page, seen) = (page + 1, seen + 1);
                        Ok(page < 700)
                    })
                    .unwrap();
                if page == 0 {
                    break;
                }
            }
            assert_eq!(seen, rows);
        }
    }
}
