//! Clients that go away in the middle.

use anyhow::Result;
use h2::Reason;
use tests::amount::{ORDER, ORDERS, Stand, Tools, WAYS, assert_told, plain};
use tests::http2::Http2;
use tests::post::{Framing, Post, chunk};
use tests::raw::Connection;

use super::configuration;

const HELD: usize = 20;

async fn is_as_before(stand: &Stand) -> Result<()> {
    stand.holds(0).await?;
    let before = stand.upstream.seen();
    assert_eq!(before.complete, 0, "{:?}", stand.way);
    for _ in 0..3 {
        let reply = stand.send(&Post::json(ORDERS, ORDER)).await?;
        assert_told(&reply, "200", "");
    }
    assert_eq!(stand.upstream.seen().body, ORDER.as_bytes());
    stand.is_sound().await
}

#[tokio::test]
async fn http_1_clients_leave_in_mid_body() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let half = &ORDER.as_bytes()[..ORDER.len() / 2];
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        let mut connections = Vec::new();
        for index in 0..HELD {
            let mut connection = Connection::open(stand.envoy.address).await?;
            let is_chunked = index % 2 == 0;
            let framing = if is_chunked { Framing::Pieces(1) } else { Framing::Length };
            connection.start(&Post::json(ORDERS, ORDER).framed(framing).head()).await?;
            connection.start(&if is_chunked { chunk(half) } else { half.to_vec() }).await?;
            connections.push(connection);
        }
        stand.holds(HELD as u64).await?;
        drop(connections);
        is_as_before(&stand).await?;
    }
    Ok(())
}

#[tokio::test]
async fn http_2_clients_reset_their_streams() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let half = &ORDER.as_bytes()[..ORDER.len() / 2];
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        let mut client = Http2::open(stand.envoy.address).await?;
        let mut streams = Vec::new();
        for _ in 0..HELD {
            let mut begun = client.begin(&Post::json(ORDERS, ""), false).await?;
            begun.piece(half, false);
            streams.push(begun);
        }
        stand.holds(HELD as u64).await?;
        for begun in &mut streams {
            begun.stream.send_reset(Reason::CANCEL);
        }
        stand.holds(0).await?;
        // The connection goes on.
        let reply = client.send(&Post::json(ORDERS, "[]")).await?;
        assert_told(&reply, "422 invalid-amount: not_an_object", "");
        let mut begun = client.begin(&Post::json(ORDERS, ""), false).await?;
        begun.piece(half, false);
        stand.holds(1).await?;
        drop((begun, client, streams));
        is_as_before(&stand).await?;
    }
    Ok(())
}

/// What comes behind a refusal is not judged again, and nothing answers twice.
#[tokio::test]
async fn a_body_goes_on_behind_its_refusal() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let too_large = "413 body-too-large: too_large_body";
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        for _ in 0..5 {
            let long = Post::json(ORDERS, " ".repeat(1 << 20)).framed(Framing::Pieces(8000));
            assert_told(&stand.send(&long).await?, too_large, format_args!("{way:?}"));
            let mut client = Http2::open(stand.envoy.address).await?;
            let reply = client.send(&long).await?;
            assert_told(&reply, too_large, format_args!("HTTP/2, {way:?}"));
            // On the same connection.
            let reply = client.send(&Post::json(ORDERS, "[]")).await?;
            assert_told(&reply, "422 invalid-amount: not_an_object", format_args!("{way:?}"));
        }
        is_as_before(&stand).await?;
    }
    Ok(())
}
