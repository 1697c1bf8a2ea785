//! What a table's readings and writings consume.

use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Capacity consumed since a table was opened, as DynamoDB reports it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Capacity {
    /// Read units: 4 KB strongly consistent, or twice that eventually.
    pub read: f64,
    /// Write units: 1 KB, doubled within a transaction.
    pub write: f64,
}

/// Adds capacity up.
#[derive(Debug, Default)]
pub(crate) struct Gauge(Mutex<Capacity>);

impl Gauge {
    /// Adds what a reading consumed.
    pub(crate) fn read<'a>(&self, told: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).read += total(told);
    }

    /// Adds what a writing consumed.
    pub(crate) fn write<'a>(&self, told: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write += total(told);
    }

    /// Reads both sums.
    pub(crate) fn sum(&self) -> Capacity {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn total<'a>(told: impl IntoIterator<Item = &'a ConsumedCapacity>) -> f64 {
    told.into_iter().filter_map(ConsumedCapacity::capacity_units).sum()
}
