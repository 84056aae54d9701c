//! What hears of a body as it is read.

use super::keys::Name;
use super::text::Text;

/// What the reader meets, in the body's order.
pub(crate) trait Visitor<'a> {
    /// An object or array begins; `at` is the place of its bracket.
    fn begin(&mut self, is_array: bool, at: usize);
    /// The innermost object or array ends.
    fn end(&mut self);
    /// A member's key: what it says, and how it stands there. Its value comes next.
    fn key(&mut self, name: Name<'_>, key: Text<'a>);
    /// A value that is neither object nor array; `at` is where it begins.
    fn scalar(&mut self, scalar: Scalar<'a>, at: usize);
}

/// A value that is neither object nor array.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// As it stands in the body.
    Number(&'a str),
    String(Text<'a>),
}
