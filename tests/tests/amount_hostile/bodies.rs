//! Orders of all sizes, and the harm that is done to them.

use serde_json::json;
use tests::amount::ORDERS;
use tests::dice::Dice;
use tests::post::{Framing, Post};

/// In place of a number.
const VALUES: [&str; 40] = [
    "0",
    "-0",
    "-1",
    "1",
    "100",
    "1.0",
    "1e2",
    "1E+2",
    "0.1",
    "-0.0",
    "1e400",
    "1e-400",
    "9007199254740991",
    "9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "01",
    "+1",
    ".5",
    "5.",
    "NaN",
    "Infinity",
    "-",
    "null",
    "true",
    "\"\"",
    "\"100\"",
    "\"10.50\"",
    "\"1e2\"",
    "\"\u{ff11}\"",
    "[]",
    "[1]",
    "{}",
    "[[[[[[[[1]]]]]]]]",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "[1,]",
];

/// Put in anywhere.
const SCRAPS: [&str; 26] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud83d",
    "\\ud83d\\ude00",
    "/*",
    "//",
    "\u{feff}",
    "\u{0}",
    "\"totalAmount\":1,",
    "\"total\\u0041mount\":1,",
    "\"price\":1,",
    "\"currency\":\"JPY\",",
    "\"currency\":\"XXX\",",
    "\"items\":[],",
    "\"metadata\":{\"a\":[1,2]},",
    "\"unknown\":0,",
    "\"4111111111111111\":1,",
    " \t\r\n",
    "é\u{10ffff}",
];

/// An order whose sum is right, of about so many bytes, and the number of its items.
fn order(dice: &mut Dice, bytes: usize) -> String {
    let count = if dice.below(2) == 0 { 1 + bytes / 60 } else { 1 + dice.below(3) };
    let count = count.min(1900);
    let room = (bytes.saturating_sub(120) / count).saturating_sub(34);
    let mut total = 0;
    let items: Vec<_> = (0..count)
        .map(|_| {
            let (quantity, price) = (1 + dice.below(9), 1 + dice.below(400));
            total += quantity * price;
            json!({"id": "i".repeat(room.max(1)), "quantity": quantity, "price": price})
        })
        .collect();
    let mut order =
        json!({"userId": "u", "items": items, "totalAmount": total, "paymentMethod": "credit_card"});
    if dice.below(3) == 0 {
        order["currency"] = (*dice.pick(&["USD", "JPY", "KWD"])).into();
    }
    order.to_string()
}

/// From 0.2 to 64 KiB, small ones as often as large ones on a scale of powers.
fn size(dice: &mut Dice) -> usize {
    let base = 200_usize << dice.below(9);
    (base + dice.below(base)).min(60_000)
}

/// Good orders of all sizes, and one bad one in four.
pub(crate) fn orders(dice: &mut Dice, count: usize) -> Vec<(Post, bool)> {
    (0..count)
        .map(|index| {
            let bytes = if index == 0 { 200 } else { size(dice) };
            let good = order(dice, if index == 1 { 60_000 } else { bytes });
            let is_good = index % 4 != 3;
            let body = if is_good { good } else { good.replace("\"totalAmount\":", "\"totalAmount\":9") };
            let framing = if index % 3 == 0 { Framing::Pieces(5000) } else { Framing::Length };
            (Post::json(ORDERS, body).framed(framing), is_good)
        })
        .collect()
}

/// The spans of a body's numbers.
fn numbers(body: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let end =
            body[at..].iter().position(|byte| !byte.is_ascii_digit()).map_or(body.len(), |end| at + end);
        if end > at {
            found.push((at, end));
        }
        at = end + 1;
    }
    found
}

/// Some harm, by a byte, by a scrap or by a value.
fn harm(body: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(body.len() + 1);
    let behind = dice.below(40);
    match dice.below(20) {
        0 => body.truncate(at),
        1 => body.insert(at, dice.byte()),
        2 if at < body.len() => body[at] ^= 1 << dice.below(8),
        3 => drop(body.drain(at..(at + behind).min(body.len()))),
        4 => body.extend_from_within(at..),
        5 => {
            let copy = body[at..(at + behind).min(body.len())].to_vec();
            let to = dice.below(body.len() + 1);
            body.splice(to..to, copy);
        }
        6 => {
            let depth = dice.below(60);
            body.splice(at..at, std::iter::repeat_n(*dice.pick(b"[{"), depth));
        }
        7 => {
            let blanks = dice.below(70_000);
            body.extend(std::iter::repeat_n(b' ', blanks));
        }
        8 | 9 => {
            let scrap = dice.pick(&SCRAPS).bytes();
            // Best behind a brace or a comma, where members are.
            let places: Vec<_> =
                (0..body.len()).filter(|at| b"{,".contains(&body[*at])).map(|at| at + 1).collect();
            let at = if places.is_empty() { at } else { *dice.pick(&places) };
            body.splice(at..at, scrap);
        }
        _ => {
            let all = numbers(body);
            if let Some((from, to)) = (!all.is_empty()).then(|| *dice.pick(&all)) {
                body.splice(from..to, dice.pick(&VALUES).bytes());
            }
        }
    }
}

pub(crate) fn body(dice: &mut Dice, target: &str) -> Vec<u8> {
    let mut body = match dice.below(20) {
        0 => Vec::new(),
        1 => {
            let count = dice.below(300);
            dice.bytes(count)
        }
        _ if target.starts_with("/pay") => {
            let amount = *dice.pick(&["10.50", "1", "499.99", "99999", "0.001", "0", "-1", "7.0"]);
            let currency = *dice.pick(&["USD", "JPY", "KWD", "CLF", "XXX", "usd"]);
            json!({"amount": amount, "currency": currency, "note": [1, {"x": null}]}).to_string().into_bytes()
        }
        _ => {
            let bytes = if dice.below(8) == 0 { size(dice) } else { 200 + dice.below(800) };
            order(dice, bytes).into_bytes()
        }
    };
    if dice.below(8) > 0 {
        (0..=dice.below(2)).for_each(|_| harm(&mut body, dice));
    }
    body
}
