//! What hears of a body as it is read.

use super::keys::Name;
use super::text::Text;

/// What the reader meets, in the body's order.
pub(crate) trait Visitor<'a> {
    /// An object begins; `at` is the place of its bracket.
    fn begin_object(&mut self, at: usize);
    /// An array begins.
    fn begin_array(&mut self, at: usize);
    /// The innermost object ends.
    fn end_object(&mut self);
    /// The innermost array ends.
    fn end_array(&mut self);
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
