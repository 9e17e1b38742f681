//! Where the elements of a sample go, one after another.

/// Takes the elements of a sample off the diagonal.
///
/// A trait rather than a closure, since it has to be inlined wherever elements come from.
pub(crate) trait Sink<T> {
    /// An item, which names the element, and its value.
    fn element(&mut self, item: u64, mel: T);
}
