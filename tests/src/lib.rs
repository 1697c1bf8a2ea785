//! Skeleton.

pub mod photograph;
