//! Starts stand-ins for AWS on loopback and says how glassplate is pointed at them.

use std::path::PathBuf;
use std::process::ExitCode;

use glassplate_harness::rekognition::{Options, Stub, objects_below};
use glassplate_harness::{dynamo, s3};

const USAGE: &str = "usage: rehearse-aws FOLDER [BUCKET]

Keeps S3 in FOLDER/s3 and DynamoDB in memory, makes BUCKET (glassplate), and runs until Ctrl-C.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = match &arguments[..] {
        [folder] | [folder, _] if !folder.starts_with('-') => PathBuf::from(folder).join("s3"),
        _ => return told(std::io::stderr(), USAGE, ExitCode::from(2)),
    };
    let bucket = arguments.get(1).map_or("glassplate", String::as_str);
    if let Err(error) = std::fs::create_dir_all(folder.join(bucket)) {
        let why = format!("cannot make bucket {bucket} in {}: {error}", folder.display());
        return told(std::io::stderr(), &why, ExitCode::FAILURE);
    }
    let s3 = s3::start(&folder);
    let dynamodb = dynamo::start();
    let objects = Some(objects_below(folder));
    let rekognition = Stub::start(Options { objects, ..Options::default() });
    let text = format!(
        "# In the environment:\n\
         export AWS_ACCESS_KEY_ID={}\n\
         export AWS_SECRET_ACCESS_KEY={}\n\
         \n\
         # In config.toml; the bucket {bucket} is there:\n\
         [aws]\n\
         region = \"us-east-1\"\n\
         \n\
         [aws.endpoints]\n\
         s3 = \"{}\"\n\
         dynamodb = \"{}\"\n\
         rekognition = \"{}\"\n\
         \n\
         # Ctrl-C ends all three.",
        s3::ACCESS_KEY,
        s3::SECRET_KEY,
        s3.url(),
        dynamodb.url(),
        rekognition.url(),
    );
    told(std::io::stdout(), &text, ExitCode::SUCCESS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.and_then(|runtime| runtime.block_on(tokio::signal::ctrl_c()));
    let bill = rekognition.ledger().bill();
    match ended {
        Ok(()) => told(
            std::io::stderr(),
            &format!("Rekognition would send a bill for {bill} calls"),
            ExitCode::SUCCESS,
        ),
        Err(error) => {
            told(std::io::stderr(), &format!("cannot wait for Ctrl-C: {error}"), ExitCode::FAILURE)
        }
    }
}

fn told(mut to: impl std::io::Write, text: &str, code: ExitCode) -> ExitCode {
    // Nobody may be listening any more.
    let _ = writeln!(to, "{text}").and_then(|()| to.flush());
    code
}
