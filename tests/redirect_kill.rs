//! Invariant 7: a change of traffic that is killed at any call, and then run again, ends where one undisturbed run would.
