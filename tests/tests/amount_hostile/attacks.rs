//! What a client library would not send.

use tests::amount::ORDERS;
use tests::dice::Dice;
use tests::post::{Framing, Post};

use crate::bodies::body;

/// A request of a flood.
pub(crate) struct Attack {
    /// What it is.
    pub(crate) post: Post,
    /// What goes over the wire in HTTP/1.1.
    pub(crate) bytes: Vec<u8>,
    /// How much of it that is.
    pub(crate) kind: Kind,
}

/// What goes over the wire of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All of it, so that the core knows what must become of it.
    Whole,
    /// The client leaves in the middle.
    Cut,
    /// It is not framed as it says.
    Misframed,
}

impl Attack {
    /// As far as it is worth reading.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.bytes).chars().take(3000).collect()
    }
}

const TYPES: [&str; 16] = [
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON;Charset=\"UTF-8\"",
    "text/plain",
    "",
    "application/json; charset=utf-16",
    "application/problem+json",
    "application/json; x=\";\"",
    "application/json, a/b",
    "application/json;charset=\"utf-8",
    "application/json; charset=utf-8; charset=utf-8",
    "application/jsonx",
    "a/b",
    "application/json;;;",
    "application/json; =",
    "multipart/form-data; boundary=application/json",
];

const TARGETS: [&str; 22] = [
    "/pay",
    "/pay/1/capture",
    "/pay/1/capture?x",
    "/pay/",
    "/order/create?x=1",
    "/order/create/",
    "/order//create",
    "/ORDER/create",
    "/order/./create",
    "/x/../order/create",
    "/order/%63reate",
    "/order/%2563reate",
    "/order%2fcreate",
    "/order\\create",
    "/order;a/create;b",
    "/order/create%3Fx",
    "/PAY/1",
    "/pay/%31/capture",
    "/pay//1/capture",
    "/",
    "/order/created",
    "/payments",
];

/// Those among them that no rule guards.
const UNGUARDED: [&[u8]; 3] = [b"/", b"/order/created", b"/payments"];

/// Header fields that count, and some that do not.
fn fields(post: Post, dice: &mut Dice, is_second: bool) -> Post {
    match dice.below(24) {
        0..=3 => post.content_type(dice.pick(&TYPES)),
        4 => post
            .with("content-encoding", dice.pick(&["identity", "gzip", "br", "identity, gzip", "IDENTITY"])),
        5 => post.with("x-jwt-scope", dice.pick(&["large", "a large b", "larger", "a,large", ""])),
        6 => post.with("x-jwt-scope", "large").with("x-jwt-scope", "large"),
        7 => {
            let value: Vec<_> =
                dice.bytes(30).into_iter().filter(|byte| (0x20..0x7f).contains(byte)).collect();
            post.with("content-type-x", value)
        }
        8 if !is_second => post.with("x-latin", b"caf\xe9"),
        // Elsewhere the tunnel would be open, and nobody at its end.
        9 if !is_second && !UNGUARDED.contains(&post.target.as_slice()) => {
            post.with("connection", "upgrade").with("upgrade", *dice.pick(&["websocket", "foo"]))
        }
        10 => post.with("x-amount-verified", "1;currency=USD;exponent=2"),
        _ => post,
    }
}

/// One of them.
pub(crate) fn attack(dice: &mut Dice, is_second: bool) -> Attack {
    let target = if dice.below(3) == 0 { *dice.pick(&TARGETS) } else { ORDERS };
    let body = body(dice, target);
    let mut post = fields(Post::json(target, body), dice, is_second);
    if dice.below(40) == 0 {
        post = post.by(dice.pick::<&str>(&["GET", "PUT", "DELETE", "OPTIONS"]));
    }
    if dice.below(3) == 0 {
        let most = if dice.below(2) == 0 { 8 } else { 4000 };
        // Many small pieces of a large body cost time and tell nothing more.
        let size = (1 + dice.below(most)).max(post.body.len() / 2000);
        post = post.framed(Framing::Pieces(size));
    }
    let mut attack = Attack { bytes: post.bytes(), post, kind: Kind::Whole };
    if dice.below(20) == 0 {
        attack.kind = Kind::Cut;
        let at = dice.below(attack.bytes.len());
        attack.bytes.truncate(at);
    } else if dice.below(20) == 0 && !is_second {
        misframed(&mut attack, dice);
    }
    attack
}

/// A body that is not framed as it says. Each is whole to some reader, so that somebody answers.
fn misframed(attack: &mut Attack, dice: &mut Dice) {
    attack.kind = Kind::Misframed;
    let length = attack.post.body.len();
    let own = |value: &str| attack.post.clone().framed(Framing::Own).with("content-length", value);
    let post = match dice.below(7) {
        0 => own(&dice.below(length + 1).to_string()),
        1 => own(dice.pick::<&str>(&[
            "-1",
            "+1",
            "0x10",
            "1e2",
            "",
            "1,1",
            "18446744073709551616",
            "99999999",
        ])),
        2 => own(&length.to_string()).with("content-length", (length / 2).to_string()),
        3 => attack.post.clone().framed(Framing::Pieces(7)).with("content-length", length.to_string()),
        4 => own(&length.to_string())
            .with("transfer-encoding", *dice.pick(&["chunked", "gzip, chunked", "identity", "xchunked"])),
        5 => {
            let chunk = *dice.pick(&[
                "zz\r\n",
                "-1\r\n",
                "ffffffffffffffffff\r\n",
                "5;\r\nabc",
                "\r\n",
                "0\r\nx\r\n\r\n",
            ]);
            let head = attack.post.clone().framed(Framing::Pieces(1)).head();
            attack.bytes = [head, chunk.as_bytes().to_vec()].concat();
            return;
        }
        // More behind its end.
        _ => return attack.bytes.extend_from_slice(&attack.post.body),
    };
    attack.bytes = post.bytes();
}
