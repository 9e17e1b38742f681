//! Where the elements of a sample go, one after another.

/// Receives a sample's off-diagonal elements.
///
/// This is a trait rather than a closure because it has to be inlined wherever elements come from.
pub(crate) trait Sink<T> {
    /// Takes an item, which names the element, and its value.
    fn element(&mut self, item: u64, mel: T);
}
