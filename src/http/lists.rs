//! Lists of contacts from whoever hands them in to `intake`: a path, standard input, a body, a form.
//!
//! An upload lies in memory while it is small and in a file without a name afterwards, so that its fields may come in
//! any order and a list of any size costs no memory.

use super::Problem;
use super::progress::Progress;
use crate::domain::list::Dialect;
use crate::intake::list::dialect::Words;
use axum::extract::multipart::Field;
use axum::http::StatusCode;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// An upload, packed or not. Larger lists come from a path.
pub const UPLOAD_BYTES_MAX: usize = 1 << 30;
/// Kept in memory of one upload.
const MEMORY_BYTES_MAX: usize = 1 << 20;

/// A list on its way in.
pub struct Given {
    pub bytes: Box<dyn Read + Send>,
    /// What somebody says of this one file.
    pub wish: Dialect,
    pub sending: Sending,
}

/// How a list was sent.
#[derive(Clone, Default)]
pub struct Sending {
    /// Whoever sends the same again names it so, and gets the first answer.
    pub key: Option<String>,
    /// The same file is taken in again, though it was before.
    pub again: bool,
    pub progress: Arc<Progress>,
}

impl From<Vec<u8>> for Given {
    fn from(bytes: Vec<u8>) -> Self {
        Given { bytes: Box::new(Cursor::new(bytes)), wish: Dialect::default(), sending: Sending::default() }
    }
}

/// `?encoding=…&delimiter=…`: what somebody says of a file in an address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Shape {
    encoding: Option<String>,
    delimiter: Option<String>,
    quote: Option<String>,
    header: Option<bool>,
    sheet: Option<String>,
    /// Take the list in though it came before.
    again: bool,
}

impl Shape {
    pub fn again(&self) -> bool {
        self.again
    }

    pub fn wish(&self) -> Result<Dialect, Problem> {
        let words = Words {
            encoding: self.encoding.as_deref(),
            delimiter: self.delimiter.as_deref(),
            quote: self.quote.as_deref(),
            header: self.header,
            sheet: self.sheet.as_deref(),
        };
        words.wish().map_err(|why| Problem::refused(why, Vec::new()))
    }
}

pub(super) fn in_hex(digest: Sha256) -> String {
    format!("{:x?}", digest.finalize()).replace([',', ' ', '[', ']'], "")
}

/// A file that is gone when nobody holds it any more.
pub(super) struct Unnamed {
    file: File,
    path: PathBuf,
}

impl Unnamed {
    pub fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("halo-list-{:032x}", rand::random::<u128>()));
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        // A list of people is nobody else's to read.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        // Where that is possible the name goes at once: a process that is killed leaves nothing.
        #[cfg(unix)]
        std::fs::remove_file(&path)?;
        Ok(Unnamed { file, path })
    }
}

impl Read for Unnamed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

impl Write for Unnamed {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.file.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Unnamed {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if !cfg!(unix) {
            // Nothing follows from its staying; the system clears the folder.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// An upload while it comes.
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<Unnamed>,
    bytes: usize,
    most: usize,
}

impl Default for Spool {
    fn default() -> Self {
        Spool { memory: Vec::new(), file: None, bytes: 0, most: UPLOAD_BYTES_MAX }
    }
}

impl Spool {
    pub async fn push(mut self, piece: &[u8]) -> Result<Self, Problem> {
        self.bytes += piece.len();
        if self.bytes > self.most {
            let mib = self.most >> 20;
            let said = format!("the list has more than {mib} MiB; split it, or import it from a path");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", said));
        }
        self.memory.extend_from_slice(piece);
        if self.memory.len() < MEMORY_BYTES_MAX {
            return Ok(self);
        }
        let wrote = tokio::task::spawn_blocking(move || -> io::Result<Self> {
            let mut file = self.file.take().map_or_else(Unnamed::new, Ok)?;
            file.file.write_all(&self.memory)?;
            self.memory.clear();
            self.file = Some(file);
            Ok(self)
        });
        wrote.await.expect("writing does not panic").map_err(Problem::ours)
    }

    pub fn given(self, wish: Dialect) -> Result<Given, Problem> {
        let Some(mut unnamed) = self.file else { return Ok(Given { wish, ..Given::from(self.memory) }) };
        unnamed.file.rewind().map_err(Problem::ours)?;
        let bytes = Box::new(unnamed.chain(Cursor::new(self.memory)));
        Ok(Given { bytes, wish, sending: Sending::default() })
    }
}

/// A field of a form.
pub(super) async fn field(mut field: Field<'_>) -> Result<Spool, Problem> {
    let mut spool = Spool::default();
    loop {
        let piece = field.chunk().await.map_err(|cause| Problem::unread(cause.status(), cause.body_text()))?;
        match piece {
            Some(piece) => spool = spool.push(&piece).await?,
            None => return Ok(spool),
        }
    }
}

/// A body that is the list itself.
pub(super) async fn body(body: axum::body::Body) -> Result<Spool, Problem> {
    use futures::StreamExt;
    let mut pieces = body.into_data_stream();
    let mut spool = Spool::default();
    while let Some(piece) = pieces.next().await {
        // A broken upload is no list, and nothing of it stays.
        spool = spool.push(&piece.map_err(|cause| Problem::bad(format!("the upload broke off: {cause}")))?).await?;
    }
    Ok(spool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_upload_comes_out_as_it_went_in() {
        for pieces in [vec![3_usize, 5], vec![700_000, 700_000, 10, 2_000_000, 1], vec![]] {
            let mut spool = Spool::default();
            let mut all = Vec::new();
            for (nth, len) in pieces.into_iter().enumerate() {
                let piece = vec![nth as u8; len];
                all.extend_from_slice(&piece);
                spool = spool.push(&piece).await.unwrap();
            }
            assert_eq!(spool.file.is_some(), all.len() > MEMORY_BYTES_MAX);
            if let Some(file) = spool.file.as_ref().filter(|_| cfg!(unix)) {
                assert!(!file.path.exists(), "a killed process leaves no list behind");
            }
            let mut read = Vec::new();
            spool.given(Dialect::default()).unwrap().bytes.read_to_end(&mut read).unwrap();
            assert!(read == all);
        }
    }

    /// The guard: `bytes` against `most` in `push`.
    #[tokio::test]
    async fn an_upload_that_is_too_large_is_refused_as_soon_as_it_is() {
        let spool = Spool { most: 2 << 20, ..Spool::default() };
        let Ok(spool) = spool.push(&vec![b'x'; 2 << 20]).await else { panic!("as much as there may be") };
        let refused = spool.push(b"x").await.err().expect("one byte too many");
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(refused.detail.contains("more than 2 MiB"), "{}", refused.detail);
    }
}
