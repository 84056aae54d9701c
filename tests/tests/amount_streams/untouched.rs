//! What passes arrives as it was sent; what no rule guards is not even held.

use anyhow::Result;
use tests::amount::{ORDER, ORDERS, Stand, Tools, WAYS, assert_told, plain, sum};
use tests::dice::Dice;
use tests::http2::Http2;
use tests::post::{Framing, LAST_CHUNK, Post, chunk};
use tests::raw::Connection;
use tests::wait::until;

use super::configuration;

const UPLOAD_BYTES: usize = 5 << 20;
const PIECE_BYTES: usize = 16 << 10;

async fn first_bytes_arrive(stand: &Stand, before: u64) -> Result<()> {
    until("the first bytes arrive before the last are sent", async || {
        Ok((stand.upstream.seen().body_bytes >= before + PIECE_BYTES as u64).then_some(()))
    })
    .await
}

#[tokio::test]
async fn uploads_to_other_routes_stream_through() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let body = Dice::new(7, 0).bytes(UPLOAD_BYTES);
    let (first, rest) = body.split_at(PIECE_BYTES);
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        let post = Post::json("/upload", body.clone()).content_type("application/octet-stream");
        for framing in [Framing::Length, Framing::Pieces(PIECE_BYTES)] {
            let post = post.clone().framed(framing);
            let framed = |bytes: &[u8]| match framing {
                Framing::Pieces(_) => chunk(bytes),
                Framing::Length | Framing::Own => bytes.to_vec(),
            };
            let before = stand.upstream.seen().body_bytes;
            let mut connection = Connection::open(stand.envoy.address).await?;
            connection.start(&post.head()).await?;
            connection.start(&framed(first)).await?;
            first_bytes_arrive(&stand, before).await?;
            for piece in rest.chunks(PIECE_BYTES) {
                connection.start(&framed(piece)).await?;
            }
            if framing != Framing::Length {
                connection.start(LAST_CHUNK).await?;
            }
            assert_told(&connection.read().await?, "200", "");
            assert!(stand.upstream.seen().body == body, "{framing:?}, {way:?}");
        }
        let before = stand.upstream.seen().body_bytes;
        let mut client = Http2::open(stand.envoy.address).await?;
        let mut begun = client.begin(&post, false).await?;
        begun.piece(first, false);
        first_bytes_arrive(&stand, before).await?;
        let mut pieces = rest.chunks(PIECE_BYTES).peekable();
        while let Some(piece) = pieces.next() {
            begun.piece(piece, pieces.peek().is_none());
        }
        assert_told(&begun.reply().await?, "200", "");
        assert!(stand.upstream.seen().body == body, "HTTP/2, {way:?}");
        assert_eq!(sum(&stand.envoy, &["requests_total"]).await?, 0, "no rule, no count");
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_passes_arrives_byte_for_byte() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let body = ORDER
        .replace(':', " :\t")
        .replace(",\"", " ,\r\n \"")
        .replace("\"u\"", r#""\u0075 é \ud83d\ude00 \/ \n""#);
    let fields = [
        ("content-type", "application/json; charset=\"UTF-8\"; x=\"a;b\""),
        ("cookie", "a=1; b=\"2\""),
        ("authorization", "Bearer a.b.c"),
        ("x-twice", "one"),
        ("x-twice", "two, three"),
        ("idempotency-key", "0191e9a0"),
        ("user-agent", "a test / 1"),
        ("accept", "*/*;q=0.1"),
        ("x-empty", ""),
    ];
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        for framing in [Framing::Length, Framing::Pieces(9)] {
            let mut post = Post::json("/order/create?a=%2F&b=c", &*body).content_type("").framed(framing);
            for (name, value) in fields {
                post = post.with(name, value);
            }
            for version in [1, 2] {
                let reply = stand.send_by(version, &post).await?;
                let case = format!("{framing:?}, HTTP/{version}, {way:?}");
                assert_told(&reply, "200", &case);
                let seen = stand.upstream.seen();
                assert_eq!(seen.body, body.as_bytes(), "{case}");
                assert_eq!(
                    (seen.method.as_str(), seen.target.as_str()),
                    ("POST", "/order/create?a=%2F&b=c"),
                    "{case}"
                );
                for (name, _) in fields {
                    let sent: Vec<_> =
                        fields.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value).collect();
                    assert_eq!(seen.values(name), sent, "{case}: {name}");
                }
                let length = seen.values("content-length");
                let expected = if framing == Framing::Length && version == 1 {
                    vec![body.len().to_string()]
                } else {
                    vec![]
                };
                assert_eq!(length, expected, "{case}");
            }
        }
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_header_that_is_no_text_arrives_too() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        let post = Post::json(ORDERS, ORDER).with("x-latin", b"caf\xe9 \xff\xfe");
        assert_told(&stand.send(&post).await?, "200", format_args!("{way:?}"));
        let seen = stand.upstream.seen();
        let value = seen.headers.iter().find(|(name, _)| name == "x-latin").map(|(_, value)| value.clone());
        assert_eq!(value.as_deref(), Some(&b"caf\xe9 \xff\xfe"[..]), "{way:?}");
        stand.is_sound().await?;
    }
    Ok(())
}
