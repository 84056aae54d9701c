//! Fields that may be left out, but need a value where they are: `max:` with nothing behind it is no word for "no limit".

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The value of an optional field. Serde's own reading of an option takes null for an absent field.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

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
