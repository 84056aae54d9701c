//! A client of one connection, by either version of HTTP.

use std::net::SocketAddr;

use anyhow::Result;

use crate::http2::Http2;
use crate::post::Post;
use crate::raw::{Connection, Reply};

/// A connection that is kept.
#[derive(Debug)]
pub enum Client {
    /// HTTP/1.1.
    First(Connection),
    /// HTTP/2.
    Second(Http2),
}

impl Client {
    /// A new one.
    pub async fn open(address: SocketAddr, version: u8) -> Result<Self> {
        Ok(match version {
            1 => Self::First(Connection::open(address).await?),
            _ => Self::Second(Http2::open(address).await?),
        })
    }

    /// Sends, and reads the answer whole.
    pub async fn send(&mut self, post: &Post) -> Result<Reply> {
        match self {
            Self::First(connection) => connection.send(&post.bytes()).await,
            Self::Second(client) => client.send(post).await,
        }
    }
}
