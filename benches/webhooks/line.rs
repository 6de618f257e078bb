//! One connection that is kept, and as little work at this end of it as there can be: both ends share the processors.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ANSWER_BYTES_MAX: usize = 64 * 1024;

pub struct Line {
    stream: TcpStream,
    read: Vec<u8>,
    host: SocketAddr,
}

impl Line {
    pub async fn to(host: SocketAddr) -> Self {
        let stream = TcpStream::connect(host).await.expect("somebody listens");
        stream.set_nodelay(true).expect("a socket option");
        Line { stream, read: Vec::with_capacity(4096), host }
    }

    /// Posts, and reads the whole answer; its status.
    pub async fn post(&mut self, path: &str, token: &str, body: &str) -> u16 {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.expect("the connection is kept");
        self.read.clear();
        loop {
            let n = self.stream.read_buf(&mut self.read).await.expect("an answer");
            assert!(n > 0 && self.read.len() < ANSWER_BYTES_MAX, "the answer broke off, or never ends");
            if let Some(status) = whole(&self.read) {
                return status;
            }
        }
    }
}

/// The status of an answer that is there to its last byte.
fn whole(read: &[u8]) -> Option<u16> {
    let head = read.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&read[..head]).expect("headers are text");
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.expect("an answer says how long it is");
    (read.len() >= head + 4 + length).then(|| status.expect("an answer has a status"))
}
