"""Rehearses a batch on a stand-in for AWS: rehearsal.py GLASSPLATE URL

Asserts on counts, never on an execution's state alone: a Map can succeed with failed children.
"""

import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import boto3
from PIL import Image

PICTURES, POISONED, SHARD = 300, 15, 20
SECONDS = 280  # for all of it
KEYS = {"AWS_ACCESS_KEY_ID": "rehearsal", "AWS_SECRET_ACCESS_KEY": "rehearsal"}
GLASSPLATE, URL = os.path.abspath(sys.argv[1]), sys.argv[2]
BEGAN = time.monotonic()


def say(text):
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


def client(service):
    return boto3.client(
        service,
        endpoint_url=URL,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


def until(what, seconds, look):
    """Looks again and again until there is something to see."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


class Home:
    """A home of its own, with settings that lead to the stand-in."""

    def __init__(self, folder, name, stacks=None):
        self.folder = folder / name
        self.folder.mkdir()
        config = f"""
[aws]
region = "us-east-1"
attempt_seconds = 30.0
[aws.endpoints]
cloudformation = "{URL}"
s3 = "{URL}"
dynamodb = "{URL}"
states = "{URL}"
sqs = "{URL}"
[ingest]
lanes = 2
"""
        if stacks:
            config += f"""
[store]
kind = "s3"
bucket = "{stacks["BucketName"]}"
prefix = "plates"
[catalogue]
kind = "dynamodb"
table = "{stacks["TableName"]}"
[registry]
table = "{stacks["RegistryTableName"]}"
[batch]
engine = "step_functions"
queue = "{stacks["QueueUrl"]}"
state_machine = "{stacks["StateMachineArn"]}"
visibility_seconds = 10
"""
        (self.folder / "config.toml").write_text(config)

    def command(self, *words):
        return [GLASSPLATE, "--home", str(self.folder), *words]

    def run(self, *words, exits=0):
        done = subprocess.run(
            self.command(*words), env={**os.environ, **KEYS}, capture_output=True, text=True
        )
        assert done.returncode == exits, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *words, exits=0):
        return json.loads(self.run(*words, "--json", exits=exits).stdout)

    def status(self, run):
        return self.json("batch", "status", run)

    def export(self):
        return [json.loads(line) for line in self.run("export", "--format", "jsonl").stdout.splitlines()]


class Worker:
    """A worker of its own process; what it did is read from its lines of JSON."""

    def __init__(self, home):
        self.home, self.ended, self.talk = home, [], []
        self.process = subprocess.Popen(
            home.command("worker", "--json"),
            env={**os.environ, **KEYS, "GLASSPLATE_LOG": "info"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.readers = [
            threading.Thread(target=self.read_ends, daemon=True),
            threading.Thread(target=self.read_talk, daemon=True),
        ]
        for reader in self.readers:
            reader.start()

    def read_ends(self):
        for line in self.process.stdout:
            self.ended.append(json.loads(line))

    def read_talk(self):
        for line in self.process.stderr:
            self.talk.append(line.rstrip())

    def name(self):
        """The name that it goes by in the notes of the run."""
        return next(line.split()[1] for line in self.talk if line.endswith("waits for tasks"))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.talk[-10:]
        for reader in self.readers:
            reader.join(10)


def picture(seed):
    """A small picture that no other seed has."""
    noise = random.Random(seed).randbytes(24 * 16 * 3)
    small = Image.frombytes("RGB", (24, 16), noise)
    file = io.BytesIO()
    small.resize((480, 320), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()


def poisoned(seed):
    """What the name promises and the bytes do not keep, in three ways."""
    whole = picture(seed)
    match seed % 3:
        case 0:
            return whole[:120] + str(seed).encode()
        case 1:
            return b"<html><body>404: this picture has moved</body></html>"
        case _:
            at = whole.index(b"\xff\xc0")
            return whole[: at + 5] + b"\xff\xdc\xff\xdc" + whole[at + 9:]


def deploy(folder):
    """Makes bucket, table, queues and state machine by the real templates, with short patience."""
    client("s3").create_bucket(Bucket="sources")
    short = [f"{step}{kind}Seconds={seconds}" for step in ("Shard", "Step")
             for kind, seconds in (("Heartbeat", 15), ("Timeout", 30))]
    given = [word for setting in [*short, "VisibilitySeconds=30"] for word in ("--set", setting)]
    Home(folder, "deployer").run("infra", "deploy", "storage", "batch", "--name", "rehearsal", *given)
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for stack in stacks for output in stack.get("Outputs", [])
    }
    home = Home(folder, "operator", outputs)
    home.run("aws", "prepare", "--unprotected")
    say(f"deployed: {', '.join(sorted(stack['StackName'] for stack in stacks))}")
    return home, outputs


def notes(table, run):
    """How each shard goes, as workers write it down in the table."""
    answer = client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :run AND begins_with(sk, :shards)",
        ExpressionAttributeValues={":run": {"S": f"K#default#{run}"}, ":shards": {"S": "=shard/"}},
        ConsistentRead=True,
    )
    return {item["n"]["S"].removeprefix("shard/"): json.loads(item["b"]["S"]) for item in answer["Items"]}


def killed_over_a_shard(table, run, worker, round_):
    """Kills a worker that has a shard in hand; held still meanwhile, so that it cannot end it."""
    worker.process.send_signal(signal.SIGSTOP)
    for shard, note in notes(table, run).items():
        mine = note["worker"] == worker.name() and note["round"] == round_
        if mine and note["state"] == "in_hand":
            worker.process.kill()
            worker.process.wait()
            return shard
    worker.process.send_signal(signal.SIGCONT)
    return None


def comparable(records):
    """Records without what time and place make of them."""
    def bare(value):
        if isinstance(value, dict):
            left_out = {"registered", "opinion", "at", "path"}
            return {k: bare(v) for k, v in value.items() if k not in left_out}
        return [bare(v) for v in value] if isinstance(value, list) else value
    return sorted((bare(record) for record in records), key=json.dumps)


def done_by(workers, shard, round_):
    """Who did a shard of a round to its end."""
    return [
        number for number, worker in enumerate(workers)
        for end in worker.ended
        if end["end"] == "done" and end["task"].get("shard") == shard and end["task"]["round"] == round_
    ]


def rehearse(folder):
    operator, stacks = deploy(folder)
    s3 = client("s3")
    bad = set(random.Random(6).sample(range(PICTURES), POISONED))
    names = [f"box {n % 4}/plate {n:04}.jpg" for n in range(PICTURES)]
    for n, name in enumerate(names):
        s3.put_object(Bucket="sources", Key=name, Body=poisoned(n) if n in bad else picture(n))
    say(f"{PICTURES} pictures lie in S3, {POISONED} of them poisoned")

    plan = ["batch", "plan", "s3://sources", "--collection", "plates", "--without-labels",
            "--shard", str(SHARD), "--rate", "20", "--workers", "3"]
    planned = operator.json(*plan)
    run = planned["run"]
    assert planned["pictures"] == PICTURES and planned["shards"] == PICTURES // SHARD, planned
    assert operator.json(*plan)["run"] == run, "the same plan is another run"
    bounded = ["--tolerate", "6%", "--max-workers", "3"]
    assert operator.json("batch", "start", run, *bounded)["begun"]
    assert not operator.json("batch", "start", run, *bounded)["begun"], "started twice"
    say(f"{run} is planned and started, twice, and is one")

    workers = [Worker(Home(folder, f"worker {n}", stacks)) for n in range(3)]
    try:
        perform(folder, operator, stacks, run, workers, bad, names)
    except BaseException:
        for n, worker in enumerate(workers):
            for line in worker.talk[-25:]:
                print(f"worker {n}: {line}", file=sys.stderr)
        raise
    finally:
        for worker in workers:
            worker.process.kill()


def perform(folder, operator, stacks, run, workers, bad, names):
    until("two shards to be done", 60, lambda: operator.status(run)["shards"]["done"] >= 2)
    operator.run("batch", "pause", run, "--by", "ada", "--reason", "the scanner is cleaned")
    operator.run("batch", "pause", run, "--by", "bob", exits=1)
    operator.run("batch", "resume", run, "--by", "bob", exits=1)
    until("the workers to rest", 30, lambda: operator.status(run)["shards"]["in_hand"] == 0)
    resting = operator.status(run)
    assert resting["control"]["state"] == "paused" and resting["control"]["owner"]["who"] == "ada"
    done = sum(resting["balance"].values())
    assert 2 * SHARD <= done < PICTURES, done
    time.sleep(2)
    assert sum(operator.status(run)["balance"].values()) == done, "it went on in its pause"
    say(f"paused after {done} of {PICTURES}")
    assert operator.json("batch", "resume", run, "--by", "ada")["round"] == 2

    table = stacks["TableName"]
    shard = until(
        "a shard in the victim's hand", 60,
        lambda: killed_over_a_shard(table, run, workers[0], 2),
    )
    say(f"resumed; worker 0 is killed over shard {shard}")
    status = until(
        "the end of the round", 150,
        lambda: (s := operator.status(run))["control"]["state"] != "running" and s,
    )
    balance = status["balance"]
    assert status["control"]["state"] == "reconciled", status["control"]
    assert balance["enriched"] == PICTURES - POISONED and balance["rejected"] == POISONED, balance
    assert sum(balance.values()) == PICTURES, balance
    killed = done_by(workers, shard, 2)
    assert killed and 0 not in killed, f"shard {shard} was done by {killed}"
    say(f"reconciled: {balance}; shard {shard} was done by worker {killed[0]}")

    rows = operator.run("batch", "report", run, "--format", "csv").stdout.splitlines()
    rejected = [row for row in rows if ",rejected," in row]
    wanted = {f"s3://sources/{names[n]}" for n in bad}
    assert len(rows) == PICTURES + 1 and {row.split(",")[0] for row in rejected} == wanted
    assert all(row.split(",rejected,")[1].strip('"').split(",", 1)[1] for row in rejected)
    page = operator.run("batch", "report", run, "--format", "html").stdout
    assert "<svg" in page and "<script" not in page and "http" not in page.split("</head>")[1]

    here = Home(folder, "here")
    local = here.json(*["batch", "plan", "s3://sources", "--collection", "plates", "--without-labels",
                        "--shard", str(SHARD)])
    assert local["run"] == run, "the same plan has another name on this machine"
    here.run("batch", "start", run, "--tolerate", "6%", exits=3)
    assert here.status(run)["balance"] == balance
    say("this machine alone comes to the same")

    operator.run("batch", "redrive", run, "--class", "transient", exits=1)
    mended = sorted(n for n in bad if n % 3 != 2)
    for n in mended:
        client("s3").put_object(Bucket="sources", Key=names[n], Body=picture(n))
    assert operator.json("batch", "redrive", run, "--class", "all")["round"] == 3
    status = until(
        "the end of the redrive", 60,
        lambda: (s := operator.status(run))["control"]["state"] != "running" and s,
    )
    left = POISONED - len(mended)
    assert status["round_pictures"] == POISONED, status
    balance = status["balance"]
    assert balance["enriched"] == PICTURES - left and balance["rejected"] == left, balance
    here.run("batch", "redrive", run, "--class", "all", exits=3)
    say(f"{len(mended)} are mended; the redrive took {POISONED} and leaves {left}")

    executions = client("stepfunctions").list_executions(stateMachineArn=stacks["StateMachineArn"])
    parents = [e["name"] for e in executions["executions"] if e["name"].startswith(run)]
    assert sorted(parents) == [f"{run}-r{n}" for n in (1, 2, 3)], parents
    until(
        "the index to be refreshed", 30,
        lambda: [e for w in workers for e in w.ended
                 if e["task"]["task"] == "refresh" and e["task"]["round"] == 3],
    )
    refreshed = next(w for w in workers for e in w.ended
                     if e["task"]["task"] == "refresh" and e["task"]["round"] == 3)
    for worker in workers[1:]:
        worker.end()
    found = json.loads(refreshed.home.run("search", "plate", "--json").stdout)
    both = comparable(operator.export()), comparable(here.export())
    assert len(both[0]) > PICTURES - left and len(both[0]) == len(both[1])
    for there, at_home in zip(*both):
        assert there == at_home, f"the records differ:\n{there}\n{at_home}"
    say(f"{len(both[0])} records are the same; a search finds {found['total']}")
    assert found["total"] >= PICTURES - left


if __name__ == "__main__":
    signal.alarm(SECONDS)
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        rehearse(pathlib.Path(folder))
    say("the rehearsal is over, and all is well")
