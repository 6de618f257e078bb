//! What kind of file this is, and its bytes, unpacked, counted, in the pieces in which they come.

use flate2::read::MultiGzDecoder;
use std::io::{self, Read};

/// A workbook is unpacked from memory: its table of contents stands at its end.
pub const WORKBOOK_BYTES_MAX: u64 = 64 << 20;

/// Bytes looked at to know a file's kind.
const MAGIC: usize = 8;

/// Why bytes cannot be read on. Carried inside an [`io::Error`], so that every reader between passes it on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Stopped {
    #[error("the file has more than {mib} MiB; split it, or raise list.size_mib_max")]
    TooLarge { mib: u64 },
    #[error("a workbook of more than {} MiB; save the sheet as CSV UTF-8", WORKBOOK_BYTES_MAX >> 20)]
    WorkbookTooLarge,
    #[error("the gzip file is cut short or damaged; pack it again")]
    Gzip,
}

impl From<Stopped> for io::Error {
    fn from(cause: Stopped) -> Self {
        io::Error::other(cause)
    }
}

/// A file that is no list at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAList {
    #[error("an Excel file of before 2007, or one with a password; save it as .xlsx, or as CSV UTF-8")]
    OldExcel,
    #[error("a PDF; export the list as .xlsx or as CSV UTF-8")]
    Pdf,
    #[error("a web page, whatever its name says; open it in a spreadsheet and save it as .xlsx or as CSV UTF-8")]
    Html,
    #[error("a packed file; unpack it, or pack the list alone with gzip")]
    Packed,
}

/// An opened file.
pub enum File<R: Read> {
    Text {
        bytes: Counted<Bytes<R>>,
        gzip: bool,
    },
    /// All of it.
    Workbook {
        bytes: Vec<u8>,
        gzip: bool,
    },
}

/// The bytes with those put back that were looked at.
type Whole<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

pub enum Bytes<R: Read> {
    Plain(Whole<R>),
    Unpacked(Box<io::Chain<io::Cursor<Vec<u8>>, Gunzip<R>>>),
}

impl<R: Read> Read for Bytes<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Bytes::Plain(bytes) => bytes.read(into),
            Bytes::Unpacked(bytes) => bytes.read(into),
        }
    }
}

/// Gzip, with its faults told apart from those of the bytes below.
pub struct Gunzip<R: Read>(MultiGzDecoder<Whole<R>>);

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|cause| match cause.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
                Stopped::Gzip.into()
            }
            _ => cause,
        })
    }
}

/// Refuses to go on behind its limit.
pub struct Counted<R> {
    bytes: R,
    left: u64,
    mib: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = retried(&mut self.bytes, into)?;
        self.left = self.left.checked_sub(read as u64).ok_or(Stopped::TooLarge { mib: self.mib })?;
        Ok(read)
    }
}

fn retried<R: Read>(bytes: &mut R, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match bytes.read(into) {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// As many bytes as there are, up to `most`.
fn first<R: Read>(bytes: &mut R, most: usize) -> io::Result<Vec<u8>> {
    let mut head = vec![0; most];
    let mut read = 0;
    while read < most {
        match retried(bytes, &mut head[read..])? {
            0 => break,
            n => read += n,
        }
    }
    head.truncate(read);
    Ok(head)
}

/// Looks at the first bytes. `mib` bounds what is read, unpacked.
pub fn open<R: Read>(mut bytes: R, mib: u64) -> io::Result<Result<File<R>, NotAList>> {
    let head = first(&mut bytes, MAGIC)?;
    let gzip = head.starts_with(&[0x1f, 0x8b]);
    let (head, mut rest) = if gzip {
        let mut unpacked = Gunzip(MultiGzDecoder::new(io::Cursor::new(head).chain(bytes)));
        let head = first(&mut unpacked, MAGIC)?;
        (head.clone(), Bytes::Unpacked(Box::new(io::Cursor::new(head).chain(unpacked))))
    } else {
        (head.clone(), Bytes::Plain(io::Cursor::new(head).chain(bytes)))
    };
    let not = match () {
        _ if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) => Some(NotAList::OldExcel),
        _ if head.starts_with(b"%PDF") => Some(NotAList::Pdf),
        _ if web_page(&head) => Some(NotAList::Html),
        _ if gzip && head.starts_with(&[0x1f, 0x8b]) => Some(NotAList::Packed),
        _ if head.starts_with(b"Rar!") || head.starts_with(b"7z\xbc\xaf") => Some(NotAList::Packed),
        _ => None,
    };
    if let Some(not) = not {
        return Ok(Err(not));
    }
    if head.starts_with(b"PK\x03\x04") {
        let (most, asked) = (WORKBOOK_BYTES_MAX.min(mib << 20), mib << 20 < WORKBOOK_BYTES_MAX);
        let mut all = Vec::new();
        rest.by_ref().take(most + 1).read_to_end(&mut all)?;
        if all.len() as u64 > most {
            return Err(if asked { Stopped::TooLarge { mib } } else { Stopped::WorkbookTooLarge }.into());
        }
        return Ok(Ok(File::Workbook { bytes: all, gzip }));
    }
    Ok(Ok(File::Text { bytes: Counted { bytes: rest, left: mib << 20, mib }, gzip }))
}

fn web_page(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let head: Vec<u8> = head.trim_ascii_start().iter().map(u8::to_ascii_lowercase).collect();
    // Eight bytes are looked at; a list does not begin with either.
    [&b"<!doct"[..], b"<html", b"<table", b"<?xml"].iter().any(|sign| {
        let seen = head.len().min(sign.len());
        seen >= 5 && head[..seen] == sign[..seen]
    })
}
