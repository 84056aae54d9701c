//! A body that passes costs no allocation for a field: a hundred items take as many as one.

use amount_core::{Admission, Config, Scratch};
use serde_json::json;

/// Counts what the program allocates; hence this test is alone in its file.
#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

fn order(items: usize) -> String {
    let item = json!({"id": "an id that is somewhat long", "quantity": 2, "price": 50});
    json!({"userId": "u", "items": vec![item; items], "totalAmount": 100 * items, "paymentMethod": "credit_card"})
        .to_string()
}

#[test]
fn a_field_costs_no_allocation() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let config =
        Config::from_json(include_bytes!("../../../services/order/src/amount-rule.json")).expect("rules");
    let headers: [(&[u8], &[u8]); 3] =
        [(b":method", b"POST"), (b":path", b"/order/create"), (b"content-type", b"application/json")];
    let Admission::Body(guard) = config.admit(headers.into_iter(), false) else { panic!("not guarded") };
    let mut scratch = Scratch::default();
    let mut allocated = |items: usize| {
        let body = order(items);
        let mut before = 0;
        // The first time the memory grows that is kept from body to body.
        for _ in 0..2 {
            before = dhat::HeapStats::get().total_blocks;
            let outcome = config.judge(guard, body.as_bytes(), &mut scratch);
            assert_eq!(outcome.faults, []);
        }
        dhat::HeapStats::get().total_blocks - before
    };
    let (hundred, one) = (allocated(100), allocated(1));
    assert_eq!(hundred, one, "a field costs something");
    assert!(one <= 12, "{one} for a body");
}
