//! What the agents' own words are taken for, on lines that the real programs printed.
