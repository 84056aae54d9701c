//! Bodies in pieces: chunks of HTTP/1.1, frames of HTTP/2, each read by Envoy before the next one is sent.

use anyhow::Result;
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use tests::amount::{Stand, Tools, WAYS, assert_told, plain};
use tests::http2::Http2;
use tests::post::{Framing, LAST_CHUNK, Post, chunk};
use tests::raw::{Connection, Reply};

use super::{PAY, SMALL, configuration};

/// The body in these pieces, in chunks.
async fn drip(stand: &Stand, pieces: &[&[u8]]) -> Result<Reply> {
    let head = Post::json(PAY, "").framed(Framing::Pieces(1)).head();
    let mut connection = Connection::open(stand.envoy.address).await?;
    let mut expected = stand.envoy.received().await?;
    let chunks = pieces.iter().map(|piece| chunk(piece));
    for part in [head].into_iter().chain(chunks) {
        connection.start(&part).await?;
        expected += part.len() as u64;
        stand.envoy.receives(expected).await?;
    }
    connection.start(LAST_CHUNK).await?;
    connection.read().await
}

#[tokio::test]
async fn http_1_split_at_every_byte() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        for (body, verdict) in SMALL {
            let bytes = body.as_bytes();
            let pieces: Vec<_> = bytes.chunks(1).collect();
            let reply = drip(&stand, &pieces).await?;
            assert_told(&reply, verdict, format_args!("{body}, {way:?}"));
            for at in 1..bytes.len() {
                let (first, second) = bytes.split_at(at);
                let reply = drip(&stand, &[first, second]).await?;
                assert_told(&reply, verdict, format_args!("{body} at {at}, {way:?}"));
            }
            if verdict == "200" {
                assert_eq!(stand.upstream.seen().complete, bytes.len() as u64, "{way:?}");
                assert_eq!(stand.upstream.seen().body, bytes, "{way:?}");
            }
        }
        assert_eq!(stand.upstream.seen().complete, SMALL[0].0.len() as u64, "none of the others");
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn http_1_in_one_packet_and_in_odd_chunks() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        for (body, verdict) in SMALL {
            for size in [1, 2, 3, 7, 1000] {
                let post = Post::json(PAY, body).framed(Framing::Pieces(size));
                assert_told(&stand.send(&post).await?, verdict, format_args!("{body} by {size}"));
            }
            // An extension, zeros before the size, and trailers: none of it is the body.
            let head = Post::json(PAY, "").framed(Framing::Pieces(1)).head();
            let odd = format!("000{:X};x=\"y\"\r\n{body}\r\n0\r\nx-trailer: 1\r\n\r\n", body.len());
            let reply = tests::raw::send(stand.envoy.address, &[head, odd.into_bytes()].concat()).await?;
            assert_told(&reply, verdict, format_args!("{body}, {way:?}"));
        }
        stand.is_sound().await?;
    }
    Ok(())
}

/// Each byte a frame of its own.
async fn frames(stand: &Stand, body: &str, is_dripping: bool, ends_by_trailers: bool) -> Result<Reply> {
    let mut client = Http2::open(stand.envoy.address).await?;
    let mut begun = client.begin(&Post::json(PAY, ""), false).await?;
    let count = body.len();
    for (index, piece) in body.as_bytes().chunks(1).enumerate() {
        let before = if is_dripping { stand.envoy.received().await? } else { 0 };
        begun.piece(piece, index + 1 == count && !ends_by_trailers);
        if is_dripping {
            stand.envoy.receives(before + 10).await?;
        }
    }
    if ends_by_trailers {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-trailer", HeaderValue::from_static("1"));
        begun.stream.send_trailers(trailers)?;
    }
    begun.reply().await
}

#[tokio::test]
async fn http_2_in_frames_with_and_without_trailers() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        for (body, verdict) in SMALL {
            for is_dripping in [false, true] {
                for ends_by_trailers in [false, true] {
                    let reply = frames(&stand, body, is_dripping, ends_by_trailers).await?;
                    let case =
                        format!("{body}, {way:?}, dripping: {is_dripping}, trailers: {ends_by_trailers}");
                    assert_told(&reply, verdict, &case);
                    if verdict == "200" {
                        assert_eq!(stand.upstream.seen().body, body.as_bytes(), "{case}");
                    }
                }
            }
        }
        assert_eq!(stand.upstream.seen().complete, 4);
        stand.is_sound().await?;
    }
    Ok(())
}

/// With trailers no frame of the body is the last one, and there may be none at all.
#[tokio::test]
async fn the_verdict_falls_at_trailers() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let trailers = || {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-trailer", HeaderValue::from_static("1"));
        trailers
    };
    let empty = "400 malformed-body: empty_body";
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        let mut client = Http2::open(stand.envoy.address).await?;
        let reply = client.send_with_trailers(&Post::json(PAY, ""), trailers()).await?;
        assert_told(&reply, empty, format_args!("no frame, {way:?}"));
        // Envoy itself takes no more than one empty frame in a row.
        let mut begun = client.begin(&Post::json(PAY, ""), false).await?;
        begun.piece(b"", false);
        begun.stream.send_trailers(trailers())?;
        assert_told(&begun.reply().await?, empty, format_args!("an empty frame, {way:?}"));
        let mut begun = client.begin(&Post::json(PAY, ""), false).await?;
        begun.piece(b"", true);
        assert_told(&begun.reply().await?, empty, format_args!("an empty last frame, {way:?}"));
        let large = Post::json(PAY, " ".repeat(70_000)).framed(Framing::Pieces(10_000));
        let reply = client.send_with_trailers(&large, trailers()).await?;
        let too_large = "413 body-too-large: too_large_body";
        assert_told(&reply, too_large, format_args!("{way:?}"));
        for (body, verdict) in SMALL {
            // An empty last frame says no more than trailers do.
            let mut begun = client.begin(&Post::json(PAY, ""), false).await?;
            begun.piece(body.as_bytes(), false);
            begun.piece(b"", true);
            assert_told(&begun.reply().await?, verdict, format_args!("{body}, {way:?}"));
        }
        assert_eq!(stand.upstream.seen().complete, 1);
        stand.is_sound().await?;
    }
    Ok(())
}
