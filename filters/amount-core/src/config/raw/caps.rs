//! Limits by currency.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{Error, MapAccess, Visitor};

/// A map in which nothing comes twice: else the last limit of a currency would silently be the one that holds.
pub(super) fn caps<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, u64>>, D::Error> {
    struct Caps;

    impl<'de> Visitor<'de> for Caps {
        type Value = BTreeMap<String, u64>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("limits by currency")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut caps = BTreeMap::new();
            while let Some((currency, cap)) = members.next_entry::<String, u64>()? {
                if caps.contains_key(&currency) {
                    return Err(A::Error::custom([&currency, " is there twice"].concat()));
                }
                caps.insert(currency, cap);
            }
            Ok(caps)
        }
    }

    deserializer.deserialize_map(Caps).map(Some)
}
