//! The figures that the simulation rests on, each with where it is from.

/// What one picture takes, and what there is to take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Pictures a second of one worker of 2 cores. Measured: README, "The whole ingest", 32 JPEGs
    /// of 12 to 24 MP with labels, against files and not against S3.
    pub pictures_a_second: f64,
    /// Write units a new picture. Measured: README, "On AWS".
    pub units_written: f64,
    /// Read units a new picture. Measured: README, "On AWS".
    pub units_read: f64,
    /// Objects written a new picture: the original and three renditions. Measured: README, "On AWS".
    pub objects_written: f64,
    /// Objects read a new picture: its source. By construction.
    pub objects_read: f64,
    /// Records that one index takes a second. Measured: README, "Search", beside compilers.
    pub indexed_a_second: f64,
    /// Outcomes a second that reconcile reads. Assumed: pages of a thousand, 50 ms each.
    pub reconciled_a_second: f64,
    /// What going again through a picture that is done costs beside doing it. Assumed.
    pub repeat_share: f64,
    /// How unequal shards are: the deviation of the logarithm of their work. Assumed.
    pub size_skew: f64,
    /// Kills an hour of one worker. Assumed: spot takes back one of a hundred an hour.
    pub kills_an_hour: f64,
    /// Seconds until another worker sees a killed one's shard: the queue's visibility.
    pub visibility_seconds: f64,
    /// Seconds until a killed worker is replaced. Assumed: an image of 1 GB on Fargate.
    pub start_seconds: f64,
    /// Write units a second that a new on-demand table takes. Published by DynamoDB: 4,000; here
    /// what `WarmWriteUnits` says.
    pub warm_units: f64,
    /// Write units a second of a table at most, unless the quota is raised. Published: 40,000.
    pub table_units: f64,
    /// Seconds in which an on-demand table may double. Published: 30 minutes.
    pub doubling_seconds: f64,
    /// Write units a second of one partition. Published: 1,000.
    pub partition_units: f64,
    /// Shards of the change feed. Built so.
    pub feed_shards: f64,
    /// Seconds of a transaction, of which a shard of the feed takes one at a time. Assumed.
    pub transaction_seconds: f64,
    /// Writes a second of one partition of a bucket. Published by S3: 3,500.
    pub bucket_writes: f64,
    /// Seconds in which S3 divides its busy partitions once. Assumed; S3 says "gradually".
    pub dividing_seconds: f64,
    /// Partitions at most: two levels of digest for originals and for renditions.
    pub bucket_partitions: f64,
    /// Shards that a map runs at once. Published by Step Functions: 10,000.
    pub map_children: f64,
    /// Executions that begin in a second. Published, refill of the smaller regions: 150.
    pub child_starts: f64,
    /// Steps of state machines a second. Published, refill of the smaller regions: 800.
    pub transitions: f64,
    /// Calls of DetectLabels a second. Published, of the smaller regions: 5.
    pub rekognition_calls: f64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            pictures_a_second: 10.0,
            units_written: 13.1,
            units_read: 7.2,
            objects_written: 4.0,
            objects_read: 1.0,
            indexed_a_second: 587.0,
            reconciled_a_second: 20_000.0,
            repeat_share: 0.05,
            size_skew: 0.3,
            kills_an_hour: 0.01,
            visibility_seconds: 120.0,
            start_seconds: 120.0,
            warm_units: 4_000.0,
            table_units: 40_000.0,
            doubling_seconds: 1_800.0,
            partition_units: 1_000.0,
            feed_shards: 32.0,
            transaction_seconds: 0.01,
            bucket_writes: 3_500.0,
            dividing_seconds: 1_800.0,
            bucket_partitions: 131_072.0,
            map_children: 10_000.0,
            child_starts: 150.0,
            transitions: 800.0,
            rekognition_calls: 5.0,
        }
    }
}
