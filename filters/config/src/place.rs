//! From a line and a column to the path of the value there.

/// The path of what ends at this line and column (both from 1, in bytes) of a JSON text: `a.b[0].c`, or `.` for the
/// whole.
pub(crate) fn of(text: &[u8], line: usize, column: usize) -> String {
    let before = text.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1));
    let end = before.map(<[u8]>::len).sum::<usize>().saturating_add(column);
    let mut walk = Walk { rest: text.get(..end).unwrap_or(text), path: Vec::new() };
    walk.go();
    let mut path = String::new();
    for step in walk.path {
        match step {
            Step::Member(None) => {}
            Step::Member(Some(name)) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&name);
            }
            Step::Item(index) => path.extend(["[", &index.to_string(), "]"]),
        }
    }
    if path.is_empty() { ".".to_owned() } else { path }
}

/// Where in an object or array.
enum Step {
    /// Nothing before the first name.
    Member(Option<String>),
    Item(usize),
}

/// Goes through a text that was cut off where the parser gave up, so that the last step is the place.
struct Walk<'a> {
    rest: &'a [u8],
    path: Vec<Step>,
}

impl Walk<'_> {
    fn go(&mut self) {
        let mut is_name = false;
        while let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            match byte {
                b'{' => {
                    self.path.push(Step::Member(None));
                    is_name = true;
                }
                b'[' => {
                    self.path.push(Step::Item(0));
                    is_name = false;
                }
                // What ends the text is not left: there a member was missed.
                b'}' | b']' if !rest.trim_ascii().is_empty() => {
                    self.path.pop();
                    is_name = false;
                }
                b'}' => self.forget_name(),
                b',' => match self.path.last_mut() {
                    Some(Step::Item(index)) => *index = index.saturating_add(1),
                    _ => is_name = true,
                },
                b'"' => {
                    let text = self.string();
                    if is_name && let Some(Step::Member(name)) = self.path.last_mut() {
                        *name = Some(text);
                        is_name = false;
                    }
                }
                _ => {}
            }
        }
    }

    fn forget_name(&mut self) {
        if let Some(Step::Member(name)) = self.path.last_mut() {
            *name = None;
        }
    }

    /// The rest of a string. Escapes stay as they are: no field's name has any.
    fn string(&mut self) -> String {
        let mut is_escaped = false;
        let end = self.rest.iter().position(|byte| {
            let ends = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            ends
        });
        let (text, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;
    use serde::Deserialize;

    use crate::parse;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        name: String,
        inner: Option<Inner>,
        list: Option<Vec<Inner>>,
        map: Option<BTreeMap<String, u8>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        number: u8,
        #[serde(default)]
        words: Vec<String>,
    }

    #[rstest]
    #[case::kind(r#"{"name":1}"#, "name: invalid type: integer `1`, expected a string")]
    #[case::escaped_quote(
        r#"{"name":"a\",\\","inner":{"number":""}}"#,
        "inner.number: invalid type: string \"\", expected u8"
    )]
    #[case::range(
        r#"{"name":"a","inner":{"number":256}}"#,
        "inner.number: invalid value: integer `256`, expected u8"
    )]
    #[case::unknown(
        r#"{"name":"a","inner":{"numbr":1}}"#,
        "inner.numbr: unknown field `numbr`, expected `number` or `words`"
    )]
    #[case::missing(r#"{"name":"a","inner":{}}"#, "inner: missing field `number`")]
    #[case::missing_after_others(r#"{"name":"a","inner":{"words":[]}}"#, "inner: missing field `number`")]
    #[case::missing_at_the_top("{}", ".: missing field `name`")]
    #[case::item(
        r#"{"name":"a","list":[{"number":1},{"number":-1}]}"#,
        "list[1].number: invalid value: integer `-1`, expected u8"
    )]
    #[case::item_of_another_kind(
        r#"{"name":"a","list":[{"number":1},2]}"#,
        "list[1]: invalid type: integer `2`, expected struct Inner"
    )]
    #[case::deep(
        r#"{"name":"a","list":[{"number":1,"words":["x",null]}]}"#,
        "list[0].words[1]: invalid type: null, expected a string"
    )]
    #[case::after_a_list(
        r#"{"list":[{"number":1}],"name":[]}"#,
        "name: invalid type: sequence, expected a string"
    )]
    #[case::an_object(r#"{"name":{}}"#, "name: invalid type: map, expected a string")]
    #[case::in_a_map(
        r#"{"name":"a","map":{"x":1,"y":true}}"#,
        "map.y: invalid type: boolean `true`, expected u8"
    )]
    #[case::twice(r#"{"name":"a","name":"b"}"#, "name: duplicate field `name`")]
    #[case::trailing("{\"name\":\"a\"}\n x", ".: trailing characters")]
    #[case::cut_off(r#"{"name":"a","inner":{"#, "inner: EOF while parsing an object")]
    #[case::empty("", ".: EOF while parsing a value")]
    #[case::over_lines(
        "{\n \"name\": \"a\",\n \"inner\": {\n  \"number\": \"1\"\n }\n}",
        "inner.number: invalid type: string \"1\", expected u8"
    )]
    fn a_fault_has_its_place(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(parse::<Outer>(text.as_bytes()).unwrap_err().to_string(), expected);
    }
}
