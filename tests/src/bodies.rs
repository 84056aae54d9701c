//! Bodies for FinPay's rules, right ones and all kinds of wrong ones, by chance.

mod harm;

pub use harm::harm;
use serde_json::{Value, json};

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
/// What may stand between two tokens.
const SPACES: [&str; 4] = ["", "", " ", "\r\n\t "];

/// A body of a request.
#[derive(Debug, Clone)]
pub struct Body {
    /// As it is sent.
    pub bytes: Vec<u8>,
    /// What the service must read, in the form of its own answers; none where something may be wrong.
    pub says: Option<Value>,
}

/// An order: right in most respects, or in all.
pub fn order(dice: &mut Dice) -> Body {
    let mut maker = Maker { dice, is_right: true };
    let (text, says) = maker.order();
    maker.sent(text, says)
}

/// A payment: likewise.
pub fn payment(dice: &mut Dice) -> Body {
    let mut maker = Maker { dice, is_right: true };
    let (text, says) = maker.payment();
    maker.sent(text, says)
}

/// An amount as the services tell it.
pub fn money(amount: u64, currency: &str) -> Value {
    let exponent = match currency {
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    };
    json!({"amount": amount, "currency": currency, "exponent": exponent})
}

/// Puts a body together, and remembers whether all of it is right.
struct Maker<'d> {
    dice: &'d mut Dice,
    is_right: bool,
}

impl Maker<'_> {
    fn order(&mut self) -> (String, Value) {
        let count = *self.dice.pick(&[1, 1, 1, 2, 3, 7, 0, 101]);
        self.is_right &= (1..=100).contains(&count);
        let (mut total, mut items, mut said) = (0, Vec::new(), Vec::new());
        for number in 0..count {
            let (quantity, price) = (1 + self.dice.below(5) as u64, 1 + self.dice.below(100_000) as u64);
            total += quantity * price;
            let id = format!("item-{number}");
            let members = vec![
                self.member("id", &format!("\"{id}\"")),
                self.number("quantity", quantity),
                self.number("price", price),
            ];
            items.push(self.object(members));
            said.push(json!({"id": id, "quantity": quantity, "price": price}));
        }
        let method = self.method();
        let mut members = vec![
            self.member("userId", "\"user\""),
            self.member("items", &format!("[{}]", items.join(","))),
            self.number("totalAmount", total),
            self.member("paymentMethod", &format!("\"{method}\"")),
        ];
        let mut currency = "USD";
        if self.dice.below(2) == 0 {
            currency = self.currency();
            members.push(self.member("currency", &format!("\"{currency}\"")));
        }
        let total = money(total, currency);
        let said = json!({"userId": "user", "items": said, "total": total, "paymentMethod": method});
        (self.object(members), said)
    }

    fn payment(&mut self) -> (String, Value) {
        let amount = 1 + self.dice.below(100_000_000) as u64;
        let (currency, method) = (self.currency(), self.method());
        let members = vec![
            self.member("orderId", "\"order\""),
            self.number("amount", amount),
            self.member("currency", &format!("\"{currency}\"")),
            self.member("paymentMethod", &format!("\"{method}\"")),
        ];
        let mut said = money(amount, currency);
        said["orderId"] = "order".into();
        said["paymentMethod"] = method.into();
        (self.object(members), said)
    }

    /// One that is taken, or seldom another one.
    fn currency(&mut self) -> &'static str {
        let of = if self.dice.below(3) == 0 { CURRENCIES.len() } else { 5 };
        let index = self.dice.below(of);
        self.is_right &= index < 5;
        CURRENCIES[index]
    }

    fn method(&mut self) -> &'static str {
        let of = if self.dice.below(20) == 0 { METHODS.len() } else { 3 };
        let index = self.dice.below(of);
        self.is_right &= index < 3;
        METHODS[index]
    }

    /// A member with the right number, or seldom with another value.
    fn number(&mut self, key: &str, right: u64) -> String {
        if self.dice.below(20) > 0 {
            return self.member(key, &right.to_string());
        }
        self.is_right = false;
        let other = *self.dice.pick(&VALUES);
        self.member(key, other)
    }

    /// A member, its key seldom spelled with an escape.
    fn member(&mut self, key: &str, value: &str) -> String {
        let key = match key.as_bytes() {
            [first, rest @ ..] if self.dice.below(30) == 0 => {
                format!("\\u00{first:02x}{}", String::from_utf8_lossy(rest))
            }
            _ => key.to_owned(),
        };
        let [before, between, behind] = [(); 3].map(|()| *self.dice.pick(&SPACES));
        format!("{before}\"{key}\"{between}:{behind}{value}")
    }

    /// Of these members, or seldom without one, with one twice, with an unknown one or in another order.
    fn object(&mut self, mut members: Vec<String>) -> String {
        let at = self.dice.below(members.len());
        let chance = self.dice.below(60);
        self.is_right &= chance >= 4;
        match chance {
            0 => drop(members.remove(at)),
            1 => members.push(members[at].clone()),
            2 => members.insert(at, "\"tip\":1".to_owned()),
            3 => members.insert(at, "\"4111111111111111\":[1,{\"a\":null}]".to_owned()),
            4..10 => members.rotate_left(at),
            _ => {}
        }
        format!("{{{}{}}}", members.join(","), self.dice.pick(&SPACES))
    }

    /// What becomes of it on its way.
    fn sent(self, text: String, says: Value) -> Body {
        let mut bytes = text.into_bytes();
        let harms = *self.dice.pick(&[0, 0, 0, 1, 1, 2]);
        (0..harms).for_each(|_| harm(&mut bytes, self.dice));
        Body { bytes, says: (self.is_right && harms == 0).then_some(says) }
    }
}
