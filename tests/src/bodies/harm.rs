//! What may happen to a body on its way.

use super::VALUES;
use crate::dice::Dice;

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
