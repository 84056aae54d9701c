//! The committed JSON Schema is what the configuration's types say.

use jwt_core::config::raw::{Config, LISTS};

#[test]
fn the_committed_schema_is_that_of_the_types() {
    schema::assert_committed::<Config>("jwt-filter", "FinPay jwt filter", &LISTS);
}
