//! What is sent: orders and payments, under header fields of which some are not acceptable.

use serde_json::Value;
use tests::bodies::{self, Body};
use tests::dice::Dice;
use tests::post::{Framing, Post};

use crate::reading;

pub(crate) const ORDER: &str = "/order/create";
pub(crate) const PAYMENT: &str = "/payment";
/// What both rules take.
const LIMIT_BYTES: usize = 65_536;

/// A request, and what others know of it.
pub(crate) struct Sent {
    pub(crate) post: Post,
    /// What must be read of it, if anything.
    pub(crate) says: Option<Value>,
    /// Whether it came as it was made.
    pub(crate) is_untouched: bool,
}

impl Sent {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let is_order = dice.below(2) == 0;
        let mut body = if is_order { bodies::order(dice) } else { bodies::payment(dice) };
        let read = if is_order { reading::order } else { reading::payment };
        if dice.below(500) == 0 {
            body.bytes.resize(LIMIT_BYTES - 6 + dice.below(12), b' ');
        }
        let says = read(&body.bytes).ok();
        if body.says.is_some() {
            assert_eq!(says, body.says, "{}", String::from_utf8_lossy(&body.bytes));
        }
        let is_untouched = body.says.is_some();
        let (post, is_fine) = post(if is_order { ORDER } else { PAYMENT }, body, dice);
        let says = says.filter(|_| is_fine && post.body.len() <= LIMIT_BYTES);
        Self { post, says, is_untouched }
    }
}

/// Whether its header fields are acceptable.
fn post(target: &str, body: Body, dice: &mut Dice) -> (Post, bool) {
    let (content_type, is_json) = match dice.below(40) {
        0 => ("application/json; charset=\"UTF-8\"; x=\";charset=utf-16\"", true),
        1 => ("application/json;charset=utf-16", false),
        2 => ("application/problem+json", false),
        3 => ("Application/JSON\t; charset=utf-8", true),
        4 => ("", false),
        _ => ("application/json", true),
    };
    let framing = if dice.below(4) == 0 { Framing::Pieces(1 + dice.below(400)) } else { Framing::Length };
    let post = Post::json(target, body.bytes).content_type(content_type).framed(framing);
    let post = post.with("x-jwt-sub", "nobody").with("x-jwt-jti", "j").with("idempotency-key", "k");
    match dice.below(60) {
        0 => (post.with("content-encoding", "gzip"), false),
        1 => (post.with("content-encoding", "identity"), is_json),
        2 => (post.with("content-type", "application/json"), content_type.is_empty()),
        // The filter alone may say it.
        3 => (post.with("x-amount-verified", "1;currency=USD;exponent=2"), is_json),
        _ => (post, is_json),
    }
}
