//! Bodies: two rules judge on one pass, twice alike with a used memory; what passes is JSON for everybody, and every
//! reader reads the same amount.

#![no_main]

use std::cell::RefCell;

use amount_core::json;
use amount_core::{Admission, Config, Guard, Scratch};
use fuzz::amounts;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static JUDGE: (Config, Guard, RefCell<Scratch>) = {
        let config = amounts();
        let headers: [(&[u8], &[u8]); 3] =
            [(b":method", b"POST"), (b":path", b"/order"), (b"content-type", b"application/json")];
        let Admission::Body(guard) = config.admit(headers.into_iter(), false) else { panic!("not guarded") };
        (config, guard, RefCell::default())
    };
}

fuzz_target!(|body: &[u8]| JUDGE.with(|(config, guard, scratch)| {
    let outcome = config.judge(*guard, body, &mut scratch.borrow_mut());
    assert_eq!(config.judge(*guard, body, &mut Scratch::default()), outcome);
    assert!(outcome.faults.len() <= amount_core::FAULTS_LIMIT);
    assert_eq!(outcome.rulings.len(), 2);
    let tree = json::parse(body);
    if tree.is_ok() {
        let _: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    }
    if outcome.is_refused() {
        return;
    }
    let (tree, others) =
        (tree.expect("read"), serde_json::from_slice::<serde_json::Value>(body).expect("JSON"));
    let total = tree.pointer("/totalAmount").expect("a total").as_minor_units().expect("an amount");
    assert_eq!(others["totalAmount"].as_i64(), Some(total));
    let verified = outcome.verified.expect("the total is told");
    assert!(verified.starts_with(&format!("{total};currency=")), "{verified}");
    let items = others["items"].as_array().expect("items").iter();
    let sum: i128 = items
        .map(|item| {
            i128::from(item["price"].as_i64().expect("a price"))
                * i128::from(item["quantity"].as_i64().expect("a count"))
        })
        .sum();
    assert_eq!(sum, i128::from(total));
}));
