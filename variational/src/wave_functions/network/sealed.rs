//! Keeps traits from being implemented elsewhere, so that they can grow.

/// Supertrait of traits that only this crate implements.
pub trait Sealed {}
