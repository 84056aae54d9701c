//! Orders of all sizes.

use serde_json::json;
use tests::amount::ORDERS;
use tests::bodies::{self, harm};
use tests::dice::Dice;
use tests::post::{Framing, Post};

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

/// Good, broken, or none.
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
        2..5 => {
            let bytes = size(dice);
            order(dice, bytes).into_bytes()
        }
        _ => bodies::order(dice).bytes,
    };
    if dice.below(8) > 0 {
        (0..=dice.below(2)).for_each(|_| harm(&mut body, dice));
    }
    body
}
