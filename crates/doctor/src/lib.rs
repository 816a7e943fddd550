//! What a publish shows of its encoder, and what to set there.
