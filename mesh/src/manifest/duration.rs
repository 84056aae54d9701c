//! Lengths of time as Istio writes them.

use serde::Deserialize;

/// A length of time, `2s` or `600ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Duration {
    milliseconds: u64,
}

impl Duration {
    /// As Envoy's JSON wants it: seconds with a fraction.
    pub fn to_envoy(self) -> String {
        match self.milliseconds % 1000 {
            0 => format!("{}s", self.milliseconds / 1000),
            rest => format!("{}.{rest:03}s", self.milliseconds / 1000),
        }
    }
}

impl TryFrom<String> for Duration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parsed = match text.strip_suffix("ms") {
            Some(number) => number.parse().ok(),
            None => text.strip_suffix('s').and_then(|number| number.parse::<u64>().ok()?.checked_mul(1000)),
        };
        let milliseconds =
            parsed.ok_or_else(|| format!("`{text}` is not a length of time such as 600ms or 2s"))?;
        Ok(Self { milliseconds })
    }
}
