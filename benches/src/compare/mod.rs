//! Times backends and peers in turns, on the same works and systems.
//!
//! A [`Work`] on a system has [`Contender`]s, one for each backend, form and [`Place`], and items for
//! the peers. [`Comparison`] lets them take turns and makes a [`Line`] of each contender.

mod about;
mod comparison;
mod contender;
mod error;
mod line;
mod peer;
mod place;
mod table;
mod unit;
pub mod works;

pub use about::about;
pub use comparison::Comparison;
pub use contender::Contender;
pub use error::{Error, Result};
pub use line::{Line, PeerLine};
pub use peer::{PeerItem, Peers};
pub use place::{Place, Placed, Places};
pub use table::{Style, table};
pub use unit::{Figure, Unit};
pub use works::{Work, works};
