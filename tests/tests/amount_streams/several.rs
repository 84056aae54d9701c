//! Many requests on one connection, behind and beside each other.

use anyhow::Result;
use serde_json::json;
use tests::amount::{ORDER, ORDERS, Tools, WAYS, amount_rule, assert_told, plain, rules, told};
use tests::envoy::Options;
use tests::http2::Http2;
use tests::post::{Framing, Post};
use tests::raw::Connection;
use tests::wait::until;

use super::{PAY, SMALL, configuration};

#[tokio::test]
async fn one_connection_one_after_another() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        let mut first = Connection::open(stand.envoy.address).await?;
        let mut second = Http2::open(stand.envoy.address).await?;
        for round in 0..20 {
            let (body, verdict) = SMALL[round % SMALL.len()];
            for framing in [Framing::Length, Framing::Pieces(5)] {
                let post = Post::json(PAY, body).framed(framing);
                let reply = first.send(&post.bytes()).await?;
                assert_told(&reply, verdict, format_args!("{body}, {way:?}"));
                let reply = second.send(&post).await?;
                assert_told(&reply, verdict, format_args!("{body}, HTTP/2, {way:?}"));
            }
        }
        assert_eq!(stand.upstream.seen().complete, 5 * 4);
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn pipelined_requests_are_told_apart() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        for framing in [Framing::Length, Framing::Pieces(4)] {
            let post = |index: usize| Post::json(PAY, SMALL[index].0).framed(framing);
            let mut connection = Connection::open(stand.envoy.address).await?;
            let before = stand.upstream.seen().complete;
            let order = [0, 0, 1, 0, 2, 3, 0];
            let all: Vec<u8> = order.iter().flat_map(|index| post(*index).bytes()).collect();
            connection.start(&all).await?;
            let mut passed = 0;
            for index in order {
                let reply = connection.read().await?;
                assert_told(&reply, SMALL[index].1, format_args!("{framing:?}, {way:?}"));
                passed += u64::from(index == 0);
                // Envoy ends a connection with an answer of its own if more has come already: what is behind it is
                // then neither answered nor forwarded.
                if index != 0 && connection.is_ended().await? {
                    break;
                }
            }
            assert_eq!(stand.upstream.seen().complete - before, passed, "{framing:?}, {way:?}");
        }
        stand.is_sound().await?;
    }
    Ok(())
}

/// A body that looks like a request is never taken for one, even where the request before it was refused unread.
#[tokio::test]
async fn a_refused_body_is_no_request() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let inner = String::from_utf8(Post::json("/elsewhere", "{}").bytes())?;
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        let mut passed = 0;
        for post in [
            Post::json(ORDERS, &*inner).content_type("text/plain"),
            Post::json(ORDERS, &*inner),
            Post::json("/order//create", &*inner),
            Post::json(ORDERS, format!("{}{inner}", " ".repeat(70_000))),
        ] {
            for framing in [Framing::Length, Framing::Pieces(1000)] {
                let mut connection = Connection::open(stand.envoy.address).await?;
                connection.start(&post.clone().framed(framing).bytes()).await?;
                let reply = connection.read().await?;
                assert!((400..500).contains(&reply.status), "{reply:?}");
                let next = connection.send(&Post::json(ORDERS, ORDER).bytes()).await;
                if let Ok(next) = next {
                    assert_told(&next, "200", "the next one");
                    passed += 1;
                }
            }
        }
        stand.is_sound().await?;
        assert_eq!(stand.upstream.seen().complete, passed, "{way:?}");
    }
    Ok(())
}

/// Streams whose frames come in turns: each has its own verdict.
#[tokio::test]
async fn http_2_streams_side_by_side() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        let mut client = Http2::open(stand.envoy.address).await?;
        let mut streams = Vec::new();
        for index in 0..60 {
            let (body, verdict) = SMALL[index % SMALL.len()];
            let begun = client.begin(&Post::json(PAY, ""), false).await?;
            streams.push((begun, body.as_bytes(), verdict));
        }
        let longest = SMALL.iter().map(|(body, _)| body.len()).max().unwrap_or(0);
        for at in 0..longest {
            for (begun, body, _) in &mut streams {
                if let Some(piece) = body.get(at..=at) {
                    begun.piece(piece, at + 1 == body.len());
                }
            }
        }
        for (begun, body, verdict) in streams {
            let reply = begun.reply().await?;
            let body = String::from_utf8_lossy(body);
            assert_told(&reply, verdict, format_args!("{body}, {way:?}"));
        }
        assert_eq!(stand.upstream.seen().complete, 60 / SMALL.len() as u64);
        stand.is_sound().await?;
    }
    Ok(())
}

/// A request keeps the rules under which it came.
#[tokio::test]
async fn rules_that_change_in_mid_body_are_the_next_requests() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let setup = Options { is_dynamic: true, ..Options::default() };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, setup.clone()).await?;
        let mut connections = Vec::new();
        for (body, verdict) in SMALL {
            let mut connection = Connection::open(stand.envoy.address).await?;
            let post = Post::json(PAY, body);
            connection.start(&post.head()).await?;
            connection.start(&post.body[..5]).await?;
            connections.push((connection, post, verdict));
        }
        stand.holds(SMALL.len() as u64).await?;
        let lower = rules(&[amount_rule("pay", json!({"max": 5}))]);
        stand.envoy.change(&[tools.filter(&lower, way)])?;
        let above = "422 invalid-amount: above_cap /amount";
        until("the new rules hold", async || {
            let reply = stand.send(&Post::json(PAY, SMALL[0].0)).await?;
            Ok((told(&reply) == above).then_some(()))
        })
        .await?;
        let before = stand.upstream.seen().complete;
        for (mut connection, post, verdict) in connections {
            connection.start(&post.body[5..]).await?;
            assert_told(&connection.read().await?, verdict, format_args!("{way:?}"));
        }
        assert_eq!(stand.upstream.seen().complete, before + 1);
        stand.is_sound().await?;
    }
    Ok(())
}
