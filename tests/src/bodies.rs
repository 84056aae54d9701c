//! Order bodies, right ones and all kinds of wrong ones, by chance.

use crate::dice::Dice;

/// Numbers that readers differ about, and amounts at their limits.
const NUMBERS: [&str; 26] = [
    "0",
    "-0",
    "-1",
    "1",
    "100",
    "1e2",
    "1E2",
    "100.0",
    "10.5",
    "1e400",
    "-1e400",
    "1e-400",
    "01",
    "+1",
    ".5",
    "1.",
    "9007199254740991",
    "9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551716",
    "100000000",
    "100000001",
    "4294967396",
    "NaN",
    "0x64",
];
const TEXTS: [&str; 10] =
    ["\"100\"", "\"１００\"", "null", "true", "[]", "{}", "[100]", "{\"a\":100}", "\"\"", "\"\\u0031\""];
const CURRENCIES: [&str; 12] =
    ["USD", "EUR", "GBP", "JPY", "KWD", "usd", "XXX", "XAU", "HRK", "CHF", "US\\u0044", "USDD"];
const METHODS: [&str; 4] = ["credit_card", "debit_card", "bank_transfer", "cash"];
/// One is put in somewhere.
const PIECES: [&str; 20] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    " ",
    "\t",
    "\n",
    "\u{a0}",
    "1",
    "e9",
    "-",
    "\"totalAmount\":1,",
    "\"\\u0074otalAmount\":1,",
];
/// What may stand between two tokens.
const SPACES: [&str; 4] = ["", "", " ", "\r\n\t "];

/// An order for FinPay's rule: right in most respects, or in all.
pub fn order(dice: &mut Dice) -> Vec<u8> {
    let mut body = text(dice).into_bytes();
    for _ in 0..[0, 0, 0, 1, 1, 2][dice.below(6)] {
        harm(&mut body, dice);
    }
    body
}

fn text(dice: &mut Dice) -> String {
    let count = [1, 1, 1, 2, 3, 7, 0, 101][dice.below(8)];
    let (mut total, mut items) = (0_u64, Vec::new());
    for number in 0..count {
        let (quantity, price) = (1 + dice.below(5) as u64, 1 + dice.below(100_000) as u64);
        total += quantity * price;
        let mut members = vec![
            member("id", &format!("\"item-{number}\""), dice),
            member("quantity", &value(&quantity.to_string(), dice), dice),
            member("price", &value(&price.to_string(), dice), dice),
        ];
        spoil(&mut members, dice);
        items.push(object(&members, dice));
    }
    let (currencies, methods) =
        (if dice.below(3) == 0 { 12 } else { 5 }, if dice.below(20) == 0 { 4 } else { 3 });
    let (currency, method) = (*dice.pick(&CURRENCIES[..currencies]), *dice.pick(&METHODS[..methods]));
    let mut members = vec![
        member("userId", "\"user\"", dice),
        member("items", &format!("[{}]", items.join(",")), dice),
        member("totalAmount", &value(&total.to_string(), dice), dice),
        member("paymentMethod", &format!("\"{method}\""), dice),
    ];
    if dice.below(2) == 0 {
        members.push(member("currency", &format!("\"{currency}\""), dice));
    }
    spoil(&mut members, dice);
    object(&members, dice)
}

/// The right value, or seldom another one.
fn value(right: &str, dice: &mut Dice) -> String {
    match dice.below(40) {
        0 => (*dice.pick(&NUMBERS)).to_owned(),
        1 => (*dice.pick(&TEXTS)).to_owned(),
        _ => right.to_owned(),
    }
}

/// A member, its key seldom spelled with an escape.
fn member(key: &str, value: &str, dice: &mut Dice) -> String {
    let key = match key.as_bytes() {
        [first, rest @ ..] if dice.below(30) == 0 => {
            format!("\\u00{first:02x}{}", String::from_utf8_lossy(rest))
        }
        _ => key.to_owned(),
    };
    format!("{}\"{key}\"{}:{}{value}", dice.pick(&SPACES), dice.pick(&SPACES), dice.pick(&SPACES))
}

/// Seldom takes a member away, doubles one, adds an unknown one or changes their order.
fn spoil(members: &mut Vec<String>, dice: &mut Dice) {
    let at = dice.below(members.len());
    match dice.below(60) {
        0 => drop(members.remove(at)),
        1 => members.push(members[at].clone()),
        2 => members.insert(at, "\"tip\":1".to_owned()),
        3 => members.insert(at, "\"4111111111111111\":[1,{\"a\":null}]".to_owned()),
        4..10 => members.rotate_left(at),
        _ => {}
    }
}

fn object(members: &[String], dice: &mut Dice) -> String {
    format!("{{{}{}}}", members.join(","), dice.pick(&SPACES))
}

/// Changes bytes wherever it may be.
fn harm(body: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(body.len());
    match dice.below(8) {
        0 => body.truncate(at),
        1 => body[at] = dice.byte(),
        2 => body[at] ^= 1 << dice.below(8),
        3 => drop(body.splice(at..at, dice.pick(&PIECES).bytes())),
        4 => drop(body.splice(at..at, dice.pick(&NUMBERS).bytes())),
        5 => drop(body.drain(at..(at + 1 + dice.below(9)).min(body.len()))),
        6 => body.extend_from_within(at..),
        _ => drop(body.splice(0..0, "[".repeat(dice.below(70)).bytes())),
    }
    if body.is_empty() {
        body.push(b'{');
    }
}
