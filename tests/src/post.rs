//! Requests with bodies, framed as a test wants them.

use crate::raw;

/// How the body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By its length, in one piece.
    Length,
    /// HTTP/1.1 chunks, or HTTP/2 frames, of at most so many bytes.
    Pieces(usize),
    /// Neither length nor chunks: what the test's own header fields say.
    Own,
}

/// A request with a body.
#[derive(Debug, Clone)]
pub struct Post {
    /// The method, `POST` if nobody says otherwise.
    pub method: String,
    /// The target.
    pub target: Vec<u8>,
    /// Header fields in their order, without those of the framing.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// How it is delimited.
    pub framing: Framing,
}

impl Post {
    /// Posts JSON.
    pub fn json(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST".to_owned(),
            target: target.as_bytes().to_vec(),
            fields: vec![("content-type".to_owned(), b"application/json".to_vec())],
            body: body.into(),
            framing: Framing::Length,
        }
    }

    /// By another method.
    #[must_use]
    pub fn by(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// With one more header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// With another content type in place of its own; none for an empty text.
    #[must_use]
    pub fn content_type(mut self, value: impl AsRef<[u8]>) -> Self {
        self.fields.retain(|(name, _)| name != "content-type");
        if value.as_ref().is_empty() { self } else { self.with("content-type", value) }
    }

    /// Delimited otherwise.
    #[must_use]
    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// The request line and the header fields of HTTP/1.1.
    pub fn head(&self) -> Vec<u8> {
        let length = self.body.len().to_string();
        let mut fields: Vec<_> =
            self.fields.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())).collect();
        match self.framing {
            Framing::Length => fields.push((b"content-length", length.as_bytes())),
            Framing::Pieces(_) => fields.push((b"transfer-encoding", b"chunked")),
            Framing::Own => {}
        }
        raw::request(&self.method, &self.target, &fields)
    }

    /// The body's pieces.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let size = match self.framing {
            Framing::Pieces(size) => size.max(1),
            Framing::Length | Framing::Own => usize::MAX,
        };
        self.body.chunks(size)
    }

    /// The whole of it in HTTP/1.1.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        match self.framing {
            Framing::Pieces(_) => {
                self.pieces().for_each(|piece| bytes.extend(chunk(piece)));
                bytes.extend_from_slice(LAST_CHUNK);
            }
            Framing::Length | Framing::Own => bytes.extend_from_slice(&self.body),
        }
        bytes
    }
}

/// The chunk that ends a body.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A chunk of HTTP/1.1.
pub fn chunk(piece: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat()
}
