//! From a place in a text to the path of the value there.

/// The path of what ends at this line and column (both from 1, in bytes) of a JSON text: `a.b[0].c`, or `.` for the
/// whole.
pub(crate) fn of(text: &[u8], line: usize, column: usize) -> String {
    let before = text.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1));
    let end = before.map(<[u8]>::len).sum::<usize>().saturating_add(column);
    let mut walk = Walk { rest: text.get(..end).unwrap_or(text), path: Vec::new() };
    while walk.step().is_some() {}
    walk.path()
}

/// The first null in a right JSON text, or the first array in a field of another name than these, aside from what lies
/// in fields of the last names.
pub(crate) fn fault(text: &[u8], lists: &[&str], aside: &[&str]) -> Option<(String, &'static str)> {
    let mut walk = Walk { rest: text, path: Vec::new() };
    let is_in = |step: &Step, names: &[&str]| matches!(step, Step::Member(Some(name), _) if names.contains(&name.as_str()));
    loop {
        let is_list = walk.path.last().is_some_and(|step| is_in(step, lists));
        let place = (walk.rest.first() == Some(&b'[') && !is_list).then(|| walk.path());
        // Behind strings no other word begins so.
        let fault = match walk.step()? {
            b'[' => place.map(|place| (place, "must be an object")),
            b'n' => Some((walk.path(), "must have a value, or be left out")),
            _ => None,
        };
        if fault.is_some() && !walk.path.iter().any(|step| is_in(step, aside)) {
            return fault;
        }
    }
}

/// Where in an object or array.
enum Step {
    /// A member, nothing before the first name; whether a name comes next.
    Member(Option<String>, bool),
    Item(usize),
}

/// Goes through a text, which may be cut off where the parser gave up, so that the last step is the place.
struct Walk<'a> {
    rest: &'a [u8],
    path: Vec<Step>,
}

impl Walk<'_> {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Member(None, _) => {}
                Step::Member(Some(name), _) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                }
                Step::Item(index) => path.extend(["[", &index.to_string(), "]"]),
            }
        }
        if path.is_empty() { ".".to_owned() } else { path }
    }

    /// Takes the next byte, or the next string whole; its first byte.
    fn step(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        match byte {
            b'{' => self.path.push(Step::Member(None, true)),
            b'[' => self.path.push(Step::Item(0)),
            // What ends the text is not left: there a member was missed.
            b'}' | b']' if !rest.trim_ascii().is_empty() => drop(self.path.pop()),
            b'}' => self.forget_name(),
            b',' => match self.path.last_mut() {
                Some(Step::Item(index)) => *index = index.saturating_add(1),
                Some(Step::Member(_, is_name)) => *is_name = true,
                None => {}
            },
            b'"' => {
                let text = self.string();
                if let Some(Step::Member(name, is_name @ true)) = self.path.last_mut() {
                    *name = Some(text);
                    *is_name = false;
                }
            }
            _ => {}
        }
        Some(*byte)
    }

    fn forget_name(&mut self) {
        if let Some(Step::Member(name, _)) = self.path.last_mut() {
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

    const LISTS: [&str; 2] = ["list", "words"];

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
    #[case::trailing("{\"name\":\"a\"}\n x", ".: trailing characters (it must be JSON)")]
    #[case::cut_off(r#"{"name":"a","inner":{"#, "inner: EOF while parsing an object (it must be JSON)")]
    #[case::empty("", ".: EOF while parsing a value (it must be JSON)")]
    #[case::yaml("name: a", ".: expected ident (it must be JSON)")]
    #[case::over_lines(
        "{\n \"name\": \"a\",\n \"inner\": {\n  \"number\": \"1\"\n }\n}",
        "inner.number: invalid type: string \"1\", expected u8"
    )]
    fn a_fault_has_its_place(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(parse::<Outer>(text.as_bytes(), &LISTS, &[]).unwrap_err().to_string(), expected);
    }

    #[rstest]
    #[case::in_a_field(r#"{"name":"a","inner":[1,["x"]]}"#, "inner: must be an object")]
    #[case::in_a_list(r#"{"name":"a","list":[{"number":1},[2]]}"#, "list[1]: must be an object")]
    #[case::the_whole(r#"["a",null,[],{}]"#, ".: must be an object")]
    fn a_list_is_no_object(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(parse::<Outer>(text.as_bytes(), &LISTS, &[]).unwrap_err().to_string(), expected);
    }

    #[rstest]
    #[case::optional(r#"{"name":"a","inner":null}"#, "inner: must have a value, or be left out")]
    #[case::behind_others(
        r#"{"name":"null","list":[{"number":1,"words":["n"]}],"map":null}"#,
        "map: must have a value, or be left out"
    )]
    #[case::required(r#"{"name":null}"#, "name: invalid type: null, expected a string")]
    fn nothing_is_null(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(parse::<Outer>(text.as_bytes(), &LISTS, &[]).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_value_of_any_kind_may_be_null() {
        let text = br#"{"equals":null,"list":[{"equals":{"a":[null]}}],"name":["equals",1]}"#;
        let lists = ["list", "name", "a"];
        assert!(parse::<serde_json::Value>(text, &lists, &["equals"]).is_ok());
        let error = parse::<serde_json::Value>(text, &lists, &["list"]).unwrap_err();
        assert_eq!(error.to_string(), "equals: must have a value, or be left out");
        let text = br#"{"list":[1,{"a":[2,null]}]}"#;
        let error = parse::<serde_json::Value>(text, &lists, &["equals"]).unwrap_err();
        assert_eq!(error.to_string(), "list[1].a[1]: must have a value, or be left out");
    }
}
