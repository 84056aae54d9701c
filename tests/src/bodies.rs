//! Order bodies, right ones and all kinds of wrong ones, by chance.

use crate::dice::Dice;

/// Amounts at their limits, and what readers differ about: in place of a number.
const VALUES: [&str; 52] = [
    "0",
    "-0",
    "-1",
    "1",
    "100",
    "100.0",
    "1.0",
    "1e2",
    "1E2",
    "1E+2",
    "0.1",
    "10.5",
    "-0.0",
    "1e400",
    "-1e400",
    "1e-400",
    "9007199254740991",
    "9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "18446744073709551716",
    "100000000",
    "100000001",
    "4294967396",
    "01",
    "+1",
    ".5",
    "5.",
    "0x64",
    "NaN",
    "Infinity",
    "-",
    "null",
    "true",
    "\"\"",
    "\"100\"",
    "\"10.50\"",
    "\"1e2\"",
    "\"１００\"",
    "\"\\u0031\"",
    "[]",
    "[1]",
    "[100]",
    "{}",
    "{\"a\":100}",
    "[[[[[[[[1]]]]]]]]",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "[1,]",
];
const CURRENCIES: [&str; 12] =
    ["USD", "EUR", "GBP", "JPY", "KWD", "usd", "XXX", "XAU", "HRK", "CHF", "US\\u0044", "USDD"];
const METHODS: [&str; 4] = ["credit_card", "debit_card", "bank_transfer", "cash"];
/// Put in anywhere.
const SCRAPS: [&str; 31] = [
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
    "\\ud83d\\ude00",
    "/*",
    "//",
    "\u{feff}",
    "\u{0}",
    "\u{a0}",
    " ",
    " \t\r\n",
    "1",
    "e9",
    "-",
    "\"totalAmount\":1,",
    "\"\\u0074otalAmount\":1,",
    "\"price\":1,",
    "\"currency\":\"JPY\",",
    "\"currency\":\"XXX\",",
    "\"items\":[],",
    "\"metadata\":{\"a\":[1,2]},",
    "\"unknown\":0,",
    "\"4111111111111111\":1,",
    "é\u{10ffff}",
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
    (if dice.below(20) == 0 { *dice.pick(&VALUES) } else { right }).to_owned()
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
pub fn harm(body: &mut Vec<u8>, dice: &mut Dice) {
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
            // Most of them behind a brace or a comma, where members are.
            let places: Vec<_> =
                (0..body.len()).filter(|at| b"{,".contains(&body[*at])).map(|at| at + 1).collect();
            let at = if places.is_empty() || behind < 10 { at } else { *dice.pick(&places) };
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
