//! What a rule demands of a body: each place once, with all that is asked of it.

use super::super::raw;
use super::super::{ConfigError, Count, LiftWord, Plan};
use super::amounts;
use super::relations;
use crate::pattern::Pattern;
use crate::tree::Slot;

/// Of each list of a rule but `fields`.
const MAX_ENTRIES: usize = 64;
const MAX_FIELDS: usize = 1000;

/// The rule in the making.
pub(super) struct Draft<'p> {
    pub(super) plan: Plan,
    /// The pointers of counts; those of amounts are in the plan.
    pub(super) counts: Vec<Pattern>,
    /// The rule's own path.
    pub(super) path: &'p str,
    max_depth: usize,
}

/// All of a rule but its route.
pub(super) fn compile(
    raw: &raw::Rule,
    max_depth: usize,
    path: &str,
    lifts: &mut Vec<LiftWord>,
) -> Result<Plan, ConfigError> {
    let plan = Plan {
        allows_unknown: raw.unknown_fields == raw::UnknownFields::Allow,
        same_currency: raw.same_currency,
        ..Plan::default()
    };
    let mut draft = Draft { plan, counts: Vec::new(), path, max_depth };
    if raw.amounts.is_empty() {
        return Err(ConfigError::new(draft.at("amounts"), "must name some"));
    }
    draft.limit("amounts", raw.amounts.len(), MAX_ENTRIES)?;
    draft.limit("counts", raw.counts.len(), MAX_ENTRIES)?;
    draft.limit("arrays", raw.arrays.len(), MAX_ENTRIES)?;
    draft.limit("sums", raw.sums.len(), MAX_ENTRIES)?;
    draft.limit("atMost", raw.at_most.len(), MAX_ENTRIES)?;
    draft.limit("fields", raw.fields.len(), MAX_FIELDS)?;
    // The slots of amounts, counts and arrays come first, in this order, so that an index is enough to find one.
    let first_count = raw.amounts.len();
    let first_array = first_count.saturating_add(raw.counts.len());
    let first_currency = first_array.saturating_add(raw.arrays.len());
    draft.plan.places = vec![0; first_currency];
    let currency =
        raw.currency.as_ref().map(|raw| amounts::source(raw, "currency", &mut draft)).transpose()?;
    for (index, raw) in raw.amounts.iter().enumerate() {
        amounts::amount(raw, index, currency, lifts, &mut draft)?;
    }
    for (index, raw) in raw.counts.iter().enumerate() {
        draft.count(raw, &format!("counts[{index}]"), first_count.saturating_add(index))?;
    }
    for (index, raw) in raw.arrays.iter().enumerate() {
        draft.array(raw, index, first_array.saturating_add(index))?;
    }
    for (index, field) in raw.fields.iter().enumerate() {
        draft.field(field, &format!("fields[{index}]"))?;
    }
    relations::same_currency(&draft)?;
    relations::relations(raw, &mut draft)?;
    draft.plan.tree.finish().map_err(|message| ConfigError::new(path, message))?;
    Ok(draft.plan)
}

impl Draft<'_> {
    pub(super) fn at(&self, field: &str) -> String {
        [self.path, ".", field].concat()
    }

    pub(super) fn error(&self, field: &str, message: impl Into<String>) -> ConfigError {
        ConfigError::new(self.at(field), message)
    }

    fn limit(&self, field: &str, count: usize, max: usize) -> Result<(), ConfigError> {
        if count > max {
            return Err(self.error(field, format!("must be at most {max}")));
        }
        Ok(())
    }

    /// The pattern that stands at a field of the rule.
    pub(super) fn pattern(&self, text: &str, field: &str) -> Result<Pattern, ConfigError> {
        let pattern = Pattern::parse(text).map_err(|message| self.error(field, message))?;
        if pattern.tokens().len() > self.max_depth {
            return Err(self.error(field, "is deeper than maxDepth"));
        }
        Ok(pattern)
    }

    /// The place of a pattern.
    fn place(&mut self, pattern: &Pattern, field: &str) -> Result<usize, ConfigError> {
        self.plan.tree.insert(pattern).map_err(|message| self.error(field, message))
    }

    /// Makes a pattern's place one of a value with this slot.
    pub(super) fn value(&mut self, pattern: &Pattern, slot: Slot, field: &str) -> Result<(), ConfigError> {
        let place = self.place(pattern, field)?;
        self.plan.tree.note(place, slot).map_err(|message| self.error(field, message))?;
        self.placed(slot, place);
        Ok(())
    }

    fn placed(&mut self, slot: Slot, place: usize) {
        match self.plan.places.get_mut(slot.index) {
            Some(known) => *known = place,
            None => self.plan.places.push(place),
        }
    }

    /// A new slot, for a currency.
    pub(super) fn next_slot(&self) -> usize {
        self.plan.places.len()
    }

    fn range(&self, raw: &raw::Count, slot: usize, field: &str) -> Result<Count, ConfigError> {
        let (min, max) = (raw.min.unwrap_or(1), raw.max);
        let limit = |name: &str, value: u64| {
            amounts::limit(value).map_err(|message| self.error(&format!("{field}.{name}"), message))
        };
        let count =
            Count { slot, min: limit("min", min)?, max: limit("max", max)?, is_optional: raw.optional };
        if count.max < count.min {
            return Err(self.error(&format!("{field}.max"), format!("is below min, which is {min}")));
        }
        Ok(count)
    }

    fn count(&mut self, raw: &raw::Count, field: &str, slot: usize) -> Result<(), ConfigError> {
        let count = self.range(raw, slot, field)?;
        let pointer = format!("{field}.pointer");
        let pattern = self.pattern(&raw.pointer, &pointer)?;
        self.value(&pattern, Slot { index: slot, is_required: !raw.optional }, &pointer)?;
        self.plan.counts.push(count);
        self.counts.push(pattern);
        Ok(())
    }

    fn array(&mut self, raw: &raw::Count, index: usize, slot: usize) -> Result<(), ConfigError> {
        let field = format!("arrays[{index}]");
        let array = self.range(raw, slot, &field)?;
        let pointer = format!("{field}.pointer");
        // The body itself can be an array.
        let pattern =
            if raw.pointer.is_empty() { Pattern::default() } else { self.pattern(&raw.pointer, &pointer)? };
        if pattern.tokens().len() >= self.max_depth {
            return Err(self.error(&pointer, "is deeper than maxDepth"));
        }
        let place = self.place(&pattern, &pointer)?;
        let max = u32::try_from(array.max).unwrap_or(u32::MAX);
        let slot = Slot { index: slot, is_required: !raw.optional };
        let noted = self.plan.tree.note_array(place, index, slot, max);
        noted.map_err(|message| self.error(&pointer, message))?;
        self.placed(slot, place);
        self.plan.arrays.push(array);
        Ok(())
    }

    fn field(&mut self, text: &str, field: &str) -> Result<(), ConfigError> {
        match text.strip_suffix("/**") {
            Some("") => self.plan.tree.open(crate::tree::Tree::ROOT),
            Some(start) => {
                let pattern = self.pattern(start, field)?;
                let place = self.place(&pattern, field)?;
                self.plan.tree.open(place);
            }
            None => {
                let pattern = self.pattern(text, field)?;
                self.place(&pattern, field)?;
            }
        }
        Ok(())
    }
}
