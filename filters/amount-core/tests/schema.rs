//! The committed JSON Schema is what the configuration's types say.

use amount_core::config::raw::{Config, LISTS};

#[test]
fn the_committed_schema_is_that_of_the_types() {
    schema::assert_committed::<Config>("amount-filter", "FinPay amount filter", &LISTS);
}
