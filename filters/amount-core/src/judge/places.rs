//! Whether everything is where it must be, in the number that it must be.

use super::Judge;
use super::found::{Found, What};
use super::notes::Token;
use crate::config::Count;
use crate::fault::{Code, Fault};
use crate::json::escape;
use crate::money;
use crate::tree::{Shape, Tree, bit};

impl Judge<'_> {
    /// Bits of the arrays that are too long.
    pub(super) fn too_long(&self) -> u64 {
        let is_longer = |found: &Found, max| matches!(found.what, What::Array(len) if i64::from(len) > max);
        let is_too_long =
            |array: &Count| self.found(array.slot).iter().any(|found| is_longer(found, array.max));
        let too_long = self.plan.arrays.iter().enumerate().filter(|(_, array)| is_too_long(array));
        too_long.fold(0, |bits, (index, _)| bits | bit(index))
    }

    /// The lengths of arrays.
    pub(super) fn judge_arrays(&mut self) {
        for (index, array) in self.plan.arrays.iter().enumerate() {
            let Some(node) = self.node(array.slot).filter(|node| !self.is_in_too_long(node, bit(index)))
            else {
                continue;
            };
            for found in self.found(array.slot) {
                if self.is_full() {
                    return;
                }
                match found.what {
                    What::Array(len) if (array.min..=array.max).contains(&i64::from(len)) => {}
                    What::Array(_) => {
                        let detail = ["must have ", &range(array), " items"].concat();
                        self.refuse(Code::OutOfRange, &node.pattern, &found.indices, detail);
                    }
                    _ => self.refuse(Code::Missing, &node.pattern, &found.indices, "must be there"),
                }
            }
        }
    }

    /// Objects and arrays where they must be.
    pub(super) fn judge_places(&mut self) {
        for misplaced in &self.notes.misplaced {
            let Some(node) = self.plan.tree.get(misplaced.node) else { continue };
            if self.is_in_too_long(node, 0) {
                continue;
            }
            let (code, detail) = match node.shape {
                Shape::Array => (Code::NotAnArray, "must be an array"),
                _ if misplaced.node == Tree::ROOT => (Code::NotAnObject, "must be a JSON object"),
                _ => (Code::NotAnObject, "must be an object"),
            };
            self.refuse(code, &node.pattern, &misplaced.indices, detail);
        }
    }

    pub(super) fn judge_counts(&mut self) {
        for (index, count) in self.plan.counts.iter().enumerate() {
            let Some(node) = self.node(count.slot).filter(|node| !self.is_in_too_long(node, 0)) else {
                self.unsound_counts |= bit(index);
                continue;
            };
            for found in self.found(count.slot) {
                if self.is_full() {
                    return;
                }
                let (code, detail) = match self.count(found) {
                    Ok(value) if (count.min..=count.max).contains(&value) => continue,
                    Ok(_) => (Code::OutOfRange, ["must be ", &range(count)].concat()),
                    Err((code, detail)) => (code, detail.to_owned()),
                };
                self.unsound_counts |= bit(index);
                self.refuse(code, &node.pattern, &found.indices, detail);
            }
        }
    }

    /// A count's value.
    pub(super) fn count(&self, found: &Found) -> Result<i64, (Code, &'static str)> {
        match found.what {
            What::Missing => Err((Code::Missing, "must be there")),
            What::Integer(value) => money::within(value),
            What::Number(span) => money::minor_units(span.of(self.body)),
            _ => Err((Code::NotANumber, "must be a JSON number")),
        }
    }

    pub(super) fn judge_unknown(&mut self) {
        for unknown in &self.notes.unknown {
            let Some(node) = self.plan.tree.get(unknown.node) else { continue };
            if self.is_full() || self.is_in_too_long(node, 0) {
                continue;
            }
            let mut pointer = node.pointer(&unknown.indices);
            let mut detail = if unknown.is_like {
                "must be spelled as the known field, or not be there"
            } else {
                "must not be there"
            };
            match &unknown.token {
                Token::Name(name) => pointer.extend(["/", &escape(name)]),
                Token::Index(index) => pointer.extend(["/", &index.to_string()]),
                Token::Secret => detail = "must have known fields only",
            }
            self.faults.push(Fault::new(Code::UnknownField, pointer, detail));
        }
    }
}

fn range(count: &Count) -> String {
    [&count.min.to_string(), " to ", &count.max.to_string()].concat()
}
