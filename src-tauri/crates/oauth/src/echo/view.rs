//! One reading of an answer: escapes resolved, letters and digits looked at, and what stands in a row that could be
//! base64 or hexadecimal decoded into further readings.

use super::alphabet::class;
use super::escape::{Layer, Place};
use super::pieces::{Pieces, Tail};
use super::row::Row;

/// How many layers of escapes are resolved.
const LAYERS: usize = 4;
/// How many layers of base64 or hexadecimal are decoded.
const DEEPEST: u8 = 2;

/// Resolves the escapes of a text, and hands on what is left of it.
pub(super) fn resolve(text: &[u8], mut each: impl FnMut(u8, usize)) {
    let mut escapes = Escapes::default();
    for (at, byte) in text.iter().enumerate() {
        escapes.take(*byte, at, &mut each);
    }
    escapes.finish(&mut each);
}

#[derive(Clone, Copy, Default)]
struct Escapes {
    layers: [Layer; LAYERS],
    /// Whether any of them has begun.
    begun: bool,
}

impl Escapes {
    #[inline]
    fn take(&mut self, byte: u8, at: usize, each: &mut impl FnMut(u8, usize)) {
        let class = class(byte);
        if self.begun || class.begins_escape() {
            feed(&mut self.layers, byte, at, each);
            self.begun = self.layers.iter().any(|layer| layer.unsettled().is_some());
        } else if !class.is_dropped() {
            each(byte, at);
        }
    }

    fn finish(&mut self, each: &mut impl FnMut(u8, usize)) {
        let mut layers = self.layers.as_mut_slice();
        while let Some((layer, inner)) = layers.split_first_mut() {
            for (byte, at) in layer.finish(place(inner)).iter() {
                feed(inner, byte, at, each);
            }
            layers = inner;
        }
        self.begun = false;
    }

    fn unsettled(&self) -> Option<usize> {
        self.layers.iter().filter_map(Layer::unsettled).min()
    }
}

fn feed<F: FnMut(u8, usize)>(layers: &mut [Layer], byte: u8, at: usize, each: &mut F) {
    if class(byte).is_dropped() {
        return;
    }
    match layers.split_first_mut() {
        None => each(byte, at),
        Some((layer, inner)) if layer.unsettled().is_none() && !class(byte).begins_escape() => {
            feed(inner, byte, at, each);
        }
        Some((layer, inner)) => {
            for (byte, at) in layer.take(byte, at, place(inner)).iter() {
                feed(inner, byte, at, each);
            }
        }
    }
}

fn place(inner: &[Layer]) -> Place {
    if inner.is_empty() { Place::Innermost } else { Place::Outer }
}

/// One reading.
pub(super) struct View {
    escapes: Escapes,
    plain: Plain,
}

impl View {
    /// The reading of the answer itself.
    pub(super) fn new() -> Self {
        Self::at_depth(0)
    }

    pub(super) fn at_depth(depth: u8) -> Self {
        Self { escapes: Escapes::default(), plain: Plain::at_depth(depth) }
    }

    /// Takes one byte in; true if a piece of a secret ends with it.
    #[inline]
    pub(super) fn take(&mut self, pieces: &Pieces, byte: u8, at: usize) -> bool {
        let Self { escapes, plain } = self;
        let mut heard = false;
        escapes.take(byte, at, &mut |byte, at| heard |= plain.take(pieces, byte, at));
        heard
    }

    /// Nothing more comes; true if what was waited for is a piece of a secret.
    pub(super) fn finish(&mut self, pieces: &Pieces) -> bool {
        let Self { escapes, plain } = self;
        let mut heard = false;
        escapes.finish(&mut |byte, at| heard |= plain.take(pieces, byte, at));
        heard | plain.end_row(pieces)
    }

    /// Where the earliest thing stands that may still become a piece.
    pub(super) fn unsettled(&self, pieces: &Pieces) -> Option<usize> {
        [self.escapes.unsettled(), self.plain.unsettled(pieces)].into_iter().flatten().min()
    }

    pub(super) fn clear(&mut self) {
        self.escapes = Escapes::default();
        self.plain.tail.clear();
    }
}

/// A reading without its escapes.
struct Plain {
    tail: Tail,
    row: Option<Row>,
}

impl Plain {
    fn at_depth(depth: u8) -> Self {
        Self { tail: Tail::new(), row: (depth < DEEPEST).then(|| Row::at_depth(depth + 1)) }
    }

    #[inline]
    fn take(&mut self, pieces: &Pieces, byte: u8, at: usize) -> bool {
        let class = class(byte);
        let heard = class.symbol().is_some_and(|symbol| self.tail.push(pieces, symbol, at));
        let Some(row) = &mut self.row else { return heard };
        if class.is_sextet() { heard | row.take(pieces, byte, at) } else { heard | row.end(pieces) }
    }

    fn end_row(&mut self, pieces: &Pieces) -> bool {
        self.row.as_mut().is_some_and(|row| row.end(pieces))
    }

    fn unsettled(&self, pieces: &Pieces) -> Option<usize> {
        let in_row = self.row.as_ref().and_then(|row| row.unsettled(pieces));
        [self.tail.unsettled(pieces), in_row].into_iter().flatten().min()
    }
}
