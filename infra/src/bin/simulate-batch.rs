//! Plays a batch of very many pictures through: `simulate-batch [PICTURES] [WORKERS...]`.

use glassplate_infra::simulation::figures::Figures;
use glassplate_infra::simulation::{Plan, Played, play};

const SEED: u64 = 20_261_124;

#[allow(clippy::print_stdout, reason = "it is for people to read")]
fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<u64>().ok());
    let pictures = numbers.next().unwrap_or(100_000_000);
    let mut fleets: Vec<u32> = numbers.filter_map(|n| u32::try_from(n).ok()).collect();
    if fleets.is_empty() {
        fleets = vec![10, 25, 50, 100, 200, 400, 800];
    }
    let cold = Figures::default();
    let warm = Figures { warm_units: 40_000.0, ..cold };
    let raised = Figures { table_units: 160_000.0, warm_units: 160_000.0, ..cold };
    for (what, figures, rekognition) in [
        ("as it comes: a new table, quotas as they are", cold, 0.0),
        ("the table warmed to 40,000 write units a second", warm, 0.0),
        ("the table's quota raised to 160,000 and warmed", raised, 0.0),
        ("as it comes, Rekognition asked for 3 of 10, at 5 calls a second", cold, 0.3),
    ] {
        println!("\n{pictures} pictures in shards of 256; {what}");
        println!(
            "{:>7} {:>9} {:>11} {:>9} {:>6} {:>8}  {:<38} held back first by",
            "workers",
            "done, h",
            "findable, h",
            "dollars",
            "kills",
            "peak a s",
            "hottest partition, units a s"
        );
        for workers in &fleets {
            let plan = Plan { pictures, shard: 256, workers: *workers, rekognition, seed: SEED };
            println!("{}", line(*workers, &play(&plan, &figures)));
        }
    }
    let plan = Plan { pictures, shard: 256, workers: 100, rekognition: 0.0, seed: SEED };
    let costs = play(&plan, &warm).costs;
    println!("\nof the dollars, 100 workers, the table warmed:");
    costs.lines().iter().for_each(|(name, dollars)| println!("{dollars:>10.0}  {name}"));
}

fn line(workers: u32, played: &Played) -> String {
    let (partition, units) = played.hottest;
    format!(
        "{workers:>7} {:>9.1} {:>11.1} {:>9.0} {:>6} {:>8.0}  {:<38} {}",
        played.reconciled / 3600.0,
        played.searchable / 3600.0,
        played.costs.total(),
        played.kills,
        played.peak,
        format!("{partition}: {units:.0}"),
        played.first_bound().unwrap_or("nothing"),
    )
}
