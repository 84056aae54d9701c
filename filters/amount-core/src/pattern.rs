//! JSON pointers with `*` for every item of an array.

use crate::json::escape;

/// How many arrays a pattern may go through.
pub(crate) const MAX_STARS: usize = 3;

/// The indices of the array items that a place lies in, from the outside in; those beyond its pattern's stars mean
/// nothing.
pub(crate) type Indices = [u32; MAX_STARS];

/// A step of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// The member of this name.
    Name(String),
    /// Any item.
    Any,
}

/// An RFC 6901 pointer in which a token `*` stands for every index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
    stars: usize,
}

impl Pattern {
    /// Of these tokens.
    pub(crate) fn new(tokens: &[Token]) -> Self {
        let stars = tokens.iter().filter(|token| **token == Token::Any).count();
        Self { tokens: tokens.to_vec(), stars }
    }

    /// Its tokens.
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Reads it. The error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err("must be a JSON pointer, which begins with /");
        };
        let tokens = rest.split('/').map(token).collect::<Result<Vec<_>, _>>()?;
        let pattern = Self::new(&tokens);
        if pattern.stars > MAX_STARS {
            return Err("must have at most 3 stars");
        }
        Ok(pattern)
    }

    /// How many of its tokens stand for items.
    pub(crate) fn stars(&self) -> usize {
        self.stars
    }

    /// Its tokens up to the last star: what all places share that lie in the same items.
    pub(crate) fn group(&self) -> &[Token] {
        let end = self
            .tokens
            .iter()
            .rposition(|token| *token == Token::Any)
            .map_or(0, |last| last.saturating_add(1));
        self.tokens.get(..end).unwrap_or_default()
    }

    /// The pattern of the array whose items are this star, counted from 0; itself if it has fewer.
    pub(crate) fn array_of(&self, star: usize) -> Self {
        let mut stars = self.tokens.iter().enumerate().filter(|(_, token)| **token == Token::Any);
        let end = stars.nth(star).map_or(self.tokens.len(), |(at, _)| at);
        Self::new(self.tokens.get(..end).unwrap_or_default())
    }

    /// The pointer to one of its places.
    pub(crate) fn pointer(&self, indices: &Indices) -> String {
        let mut pointer = String::new();
        let mut indices = indices.iter();
        for token in &self.tokens {
            pointer.push('/');
            match token {
                Token::Name(name) => pointer.push_str(&escape(name)),
                Token::Any => pointer.push_str(&indices.next().copied().unwrap_or_default().to_string()),
            }
        }
        pointer
    }

    /// As it is written.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for token in &self.tokens {
            text.push('/');
            match token {
                Token::Name(name) => text.push_str(&escape(name)),
                Token::Any => text.push('*'),
            }
        }
        text
    }
}

fn token(text: &str) -> Result<Token, &'static str> {
    if text == "*" {
        return Ok(Token::Any);
    }
    if text.contains("**") {
        return Err("may have ** only as its end, and only as a field");
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("must not name an index: use * for array items");
    }
    let mut name = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        name.push(match character {
            '~' => match rest.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err("must have ~ only as ~0 and / only as ~1 in a name"),
            },
            other => other,
        });
    }
    Ok(Token::Name(name))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/a")]
    #[case("/")]
    #[case("/items/*/price")]
    #[case("/a~1b/~0/*/*/*")]
    fn patterns_are_what_they_were(#[case] text: &str) {
        assert_eq!(Pattern::parse(text).map(|pattern| pattern.text()), Ok(text.to_owned()));
    }

    #[rstest]
    #[case("")]
    #[case("a")]
    #[case("/0")]
    #[case("/items/00/price")]
    #[case("/a/**")]
    #[case("/a**/b")]
    #[case("/a~2")]
    #[case("/a~")]
    #[case("/*/*/*/*")]
    fn other_texts_are_none(#[case] text: &str) {
        assert!(Pattern::parse(text).is_err());
    }

    #[test]
    fn places_have_pointers() {
        let pattern = Pattern::parse("/a~1b/*/c/*").expect("a pattern");
        assert_eq!(pattern.pointer(&[1, 22, 0]), "/a~1b/1/c/22");
        assert_eq!(pattern.array_of(1).pointer(&[1, 0, 0]), "/a~1b/1/c");
        assert_eq!(Pattern::new(pattern.group()).text(), "/a~1b/*/c/*");
    }
}
