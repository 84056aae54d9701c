//! Bodies beyond the limit: refused before they are buffered whole.

use anyhow::Result;
use serde_json::json;
use tests::amount::{
    Case, ORDER, ORDERS, Tools, WAYS, assert_told, judge_both_ways, order_rule, plain, rules,
};
use tests::http2::Http2;
use tests::post::{Framing, Post, chunk};
use tests::raw::Connection;

const TOO_LARGE: &str = "413 body-too-large: too_large_body";
/// What a rule without a limit of its own takes.
const LIMIT: usize = 64 << 10;
/// The most that a rule can take.
const MOST: usize = 1 << 20;

/// The order, filled up with blanks.
fn padded(bytes: usize) -> String {
    format!("{ORDER}{}", " ".repeat(bytes - ORDER.len()))
}

#[tokio::test]
async fn the_limit_is_exact() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let with_limit = |name: &str, limit: usize| {
        let mut rule = order_rule();
        rule["name"] = name.into();
        rule["match"]["path"]["exact"] = format!("/{name}").into();
        rule["maxBodyBytes"] = limit.into();
        rule
    };
    let configuration = rules(&[order_rule(), with_limit("small", 200), with_limit("large", MOST)]);
    let mut cases = Vec::new();
    for framing in [Framing::Length, Framing::Pieces(7_000), Framing::Pieces(100)] {
        for (path, limit) in [(ORDERS, LIMIT), ("/small", 200), ("/large", MOST)] {
            // A million pieces of ten bytes tell nothing more.
            if limit > LIMIT && framing == Framing::Pieces(100) {
                continue;
            }
            let post = |bytes: usize| Post::json(path, padded(bytes)).framed(framing);
            cases.push(Case::new(format!("{limit} of {limit} bytes, {framing:?}"), post(limit), "200"));
            // What has no length Envoy may refuse itself there: the largest limit is that of its own buffer.
            if limit == MOST && framing != Framing::Length {
                continue;
            }
            let name = format!("{} of {limit} bytes, {framing:?}", limit + 1);
            cases.push(Case::new(name, post(limit + 1), TOO_LARGE));
        }
    }
    judge_both_ways(&tools, &configuration, &cases).await
}

/// Whoever refuses it, the filter or Envoy, whose buffer is as large: nothing goes on.
#[tokio::test]
async fn beyond_the_largest_limit_nothing_goes_on() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut rule = order_rule();
    rule["maxBodyBytes"] = MOST.into();
    for way in WAYS {
        let stand = tools.start_with(&rules(&[rule.clone()]), way, plain()).await?;
        for more in [1, 1000, MOST] {
            let post = Post::json(ORDERS, padded(MOST + more)).framed(Framing::Pieces(7_000));
            let replies = [stand.send(&post).await?, stand.send_by(2, &post).await?];
            assert!(replies.iter().all(|reply| reply.status == 413), "{more}, {way:?}: {replies:?}");
        }
        let seen = stand.upstream.seen();
        assert_eq!((seen.complete, seen.body_bytes), (0, 0), "{way:?}");
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_length_beyond_it_is_refused_before_the_body_comes() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&rules(&[order_rule()]), way, plain()).await?;
        for length in ["65537", "4294967296", "9223372036854775807"] {
            let head = Post::json(ORDERS, "").with("content-length", length).framed(Framing::Own);
            let mut connection = Connection::open(stand.envoy.address).await?;
            let reply = connection.send(&head.head()).await?;
            assert_told(&reply, TOO_LARGE, format_args!("{length}, {way:?}"));
            let mut client = Http2::open(stand.envoy.address).await?;
            let reply = client.begin(&head, false).await?.reply().await?;
            assert_told(&reply, TOO_LARGE, format_args!("{length}, HTTP/2, {way:?}"));
        }
        assert_eq!(stand.upstream.seen().arrived, 0);
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_without_a_length_is_refused_in_mid_stream() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&rules(&[order_rule()]), way, plain()).await?;
        let head = Post::json(ORDERS, "").framed(Framing::Pieces(1));
        let mut connection = Connection::open(stand.envoy.address).await?;
        connection.start(&head.head()).await?;
        for _ in 0..66 {
            connection.start(&chunk(&[b' '; 1 << 10])).await?;
        }
        // No last chunk: it does not wait for one.
        let reply = connection.read().await?;
        assert_told(&reply, TOO_LARGE, format_args!("{way:?}"));
        let mut client = Http2::open(stand.envoy.address).await?;
        let mut begun = client.begin(&head, false).await?;
        for _ in 0..66 {
            begun.piece(&[b' '; 1 << 10], false);
        }
        let reply = begun.reply().await?;
        assert_told(&reply, TOO_LARGE, format_args!("HTTP/2, {way:?}"));
        assert_eq!(stand.upstream.seen().complete, 0);
        assert_eq!(stand.upstream.seen().body_bytes, 0, "not a byte of it goes on");
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_length_is_a_number_or_envoy_refuses_it() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&rules(&[order_rule()]), way, plain()).await?;
        for length in ["-1", "+5", "5x", "0x5", "5, 5", "5,6", "", "1e2", "99999999999999999999999"] {
            let post = Post::json(ORDERS, ORDER).with("content-length", length).framed(Framing::Own);
            assert_told(&stand.send(&post).await?, "400", format_args!("{length:?}, {way:?}"));
        }
        let both = Post::json(ORDERS, ORDER).with("content-length", "5").framed(Framing::Pieces(9));
        assert_told(&stand.send(&both).await?, "400", "length and chunks");
        let twice = Post::json(ORDERS, ORDER).with("content-length", "5");
        assert_told(&stand.send(&twice).await?, "400", "two lengths");
        stand.is_sound().await?;
        assert_eq!(stand.upstream.seen().arrived, 0);
    }
    Ok(())
}

#[tokio::test]
async fn faults_of_very_many_items_are_told_as_few() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let stand = tools.start(&rules(&[order_rule()]), WAYS[0]).await?;
    let of = |count: usize| json!({"items": vec![0; count], "totalAmount": 0}).to_string();
    let reply = stand.send(&Post::json(ORDERS, of(32_000))).await?;
    assert!(tests::amount::told(&reply).starts_with("422 invalid-amount: out_of_range /items"), "{reply:?}");
    let reply = stand.send(&Post::json(ORDERS, of(100))).await?;
    let body: serde_json::Value = serde_json::from_str(&reply.body)?;
    assert_eq!(body["errors"].as_array().map(Vec::len), Some(20), "{body}");
    stand.is_sound().await
}
