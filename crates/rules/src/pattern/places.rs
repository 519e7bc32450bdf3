//! Where in a value a pattern matches from, or up to: for each place at once, in one pass.

use regex_automata::{
    Input, MatchKind,
    hybrid::dfa::{Config, DFA, OverlappingState},
    nfa::thompson,
    util::syntax,
};

use super::{SELDOM_BYTES_MAX, dialect::Direction, error::PatternError};

/// Places 64 by 64, a bit for each.
pub(super) struct Place(u64);

impl Place {
    const BITS: usize = 64;

    fn of(at: usize) -> (usize, u64) {
        (at / Self::BITS, 1 << (at % Self::BITS))
    }

    pub(super) fn holds(places: &[Self], at: usize) -> bool {
        let (word, bit) = Self::of(at);
        places.get(word).is_some_and(|place| place.0 & bit != 0)
    }
}

/// An automaton that tells each place.
pub(super) struct Scan {
    automaton: DFA,
    direction: Direction,
}

impl Scan {
    pub(super) fn new(text: &str, direction: Direction) -> Result<Self, PatternError> {
        let nfa = thompson::Config::new().utf8(false).reverse(direction == Direction::Ahead);
        let automaton = DFA::builder()
            .syntax(syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true))
            .thompson(nfa)
            .configure(
                Config::new()
                    .match_kind(MatchKind::All)
                    .cache_capacity(SELDOM_BYTES_MAX)
                    .skip_cache_capacity_check(true),
            )
            .build(text)
            .map_err(|error| PatternError::new(error.to_string()))?;
        Ok(Self { automaton, direction })
    }

    /// From where (looking ahead) or up to where (looking behind) the pattern matches.
    pub(super) fn places(&self, value: &[u8]) -> Vec<Place> {
        let words = value.len() / Place::BITS + 1;
        let mut places: Vec<Place> = std::iter::repeat_with(|| Place(0)).take(words).collect();
        let mut cache = self.automaton.create_cache();
        let mut state = OverlappingState::start();
        let input = Input::new(value);
        loop {
            // It cannot fail: it neither gives up nor quits at a byte.
            let searched = match self.direction {
                Direction::Ahead => {
                    self.automaton.try_search_overlapping_rev(&mut cache, &input, &mut state)
                }
                Direction::Behind => {
                    self.automaton.try_search_overlapping_fwd(&mut cache, &input, &mut state)
                }
            };
            let Some(end) = searched.ok().and_then(|()| state.get_match()) else { return places };
            let (word, bit) = Place::of(end.offset());
            if let Some(place) = places.get_mut(word) {
                place.0 |= bit;
            }
        }
    }
}
