"""Rehearses a batch on a stand-in for AWS: rehearsal.py GLASSPLATE URL [LEDGER-URL]

LEDGER-URL is where DynamoDB is, when another stand-in has it. Asserts on counts, never on an execution's state alone: a Map can succeed with failed children.
"""

import contextlib
import io
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import boto3
from PIL import Image

PICTURES, POISONED, SHARD, SMALL = 300, 15, 20, 24
SECONDS = 280  # for all of it
KEYS = {"AWS_ACCESS_KEY_ID": "rehearsal", "AWS_SECRET_ACCESS_KEY": "rehearsal"}
GLASSPLATE, URL = os.path.abspath(sys.argv[1]), sys.argv[2]
LEDGER_URL = sys.argv[3] if len(sys.argv) > 3 else URL
BEGAN = time.monotonic()


def say(text):
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


def client(service):
    return boto3.client(
        service,
        endpoint_url=LEDGER_URL if service == "dynamodb" else URL,
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
dynamodb = "{LEDGER_URL}"
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


@contextlib.contextmanager
def at_work(workers):
    """Ends the workers that are left; after a fault it is told what each said last."""
    try:
        yield
    except BaseException:
        for n, worker in enumerate(workers):
            for line in worker.talk[-25:]:
                print(f"worker {n}: {line}", file=sys.stderr)
        raise
    finally:
        for worker in workers:
            worker.process.kill()


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


def outputs_of(*stack):
    """What a stack gives out, or what all do."""
    named = {"StackName": stack[0]} if stack else {}
    return {
        output["OutputKey"]: output["OutputValue"]
        for stack in client("cloudformation").describe_stacks(**named)["Stacks"]
        for output in stack.get("Outputs", [])
    }


def deploy(folder):
    """Makes bucket, table, queues and state machine by the real templates, with short patience."""
    client("s3").create_bucket(Bucket="sources")
    short = [f"{step}{kind}Seconds={seconds}" for step in ("Shard", "Step")
             for kind, seconds in (("Heartbeat", 15), ("Timeout", 30))]
    given = [word for setting in [*short, "VisibilitySeconds=30"] for word in ("--set", setting)]
    Home(folder, "deployer").run("infra", "deploy", "storage", "batch", "--name", "rehearsal", *given)
    outputs = outputs_of()
    home = Home(folder, "operator", outputs)
    home.run("aws", "prepare", "--unprotected")
    say("deployed: storage and batch")
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


def stopped_over_a_shard(table, run, worker, round_):
    """Ends a worker that has a shard in hand, as a machine on spot is ended; it gives the shard back."""
    worker.process.send_signal(signal.SIGSTOP)
    in_hand = [
        shard for shard, note in notes(table, run).items()
        if (note["worker"], note["round"], note["state"]) == (worker.name(), round_, "in_hand")
    ]
    if in_hand:
        worker.process.send_signal(signal.SIGTERM)
    worker.process.send_signal(signal.SIGCONT)
    if not in_hand:
        return None
    assert worker.process.wait(60) == 0, worker.talk[-10:]
    for reader in worker.readers:
        reader.join(10)
    last = worker.ended[-1]
    assert last["end"] == "given back" and last["task"]["shard"] == in_hand[0], last
    return in_hand[0]


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


def functions(folder, operator, stacks):
    """The same program as two functions: a worker fed by the queue, the API behind the gateway."""
    packed = folder / "function.zip"
    operator.run("infra", "pack", str(packed))
    # Where the template puts a function's home, which the stand-in runs on this machine.
    shutil.rmtree("/tmp/glassplate-function", ignore_errors=True)
    s3 = client("s3")
    s3.create_bucket(Bucket="functions")
    s3.upload_file(str(packed), "functions", "glassplate.zip")
    say(f"packed: {packed.stat().st_size >> 20} MiB")
    endpoints = "\n".join(
        ["[aws.endpoints]", *(f'{name} = "{URL}"' for name in ("s3", "dynamodb", "states", "sqs"))]
    )
    given = ["Fleet=lambda", "FunctionBucket=functions", "FunctionKey=glassplate.zip", "Image=none",
             "VpcId=vpc-none", "WorkerSubnets=none", f"MoreSettings={endpoints}"]
    operator.run("infra", "deploy", "workers", "gateway", "--name", "rehearsal",
                 *(word for setting in given for word in ("--set", setting)))
    # ministack keeps the number of a parameter as text, which it then cannot compare.
    fed = client("lambda").list_event_source_mappings()["EventSourceMappings"][0]["UUID"]
    client("lambda").update_event_source_mapping(UUID=fed, ScalingConfig={"MaximumConcurrency": 2})
    say("deployed: the worker and the API as functions")

    names = [f"chest/plate {n:04}.jpg" for n in range(SMALL)]
    for n, name in enumerate(names):
        s3.put_object(Bucket="sources", Key=name, Body=picture(PICTURES + n))
    run = operator.json("batch", "plan", "s3://sources/chest", "--collection", "chest",
                        "--without-labels", "--shard", "6")["run"]
    assert operator.json("batch", "start", run)["begun"]
    status = until(
        "functions to do a batch", 60,
        lambda: (s := operator.status(run))["control"]["state"] != "running" and s,
    )
    assert status["control"]["state"] == "reconciled", status["control"]
    assert status["balance"]["enriched"] == SMALL, status["balance"]
    say(f"a function does a batch of {SMALL}")

    key = operator.json("key", "create", "--role", "archivist", "--name", "desk")["secret"]
    gateway = outputs_of("rehearsal-gateway")["GatewayUrl"].removeprefix("http://")

    def ask(path, status=200, body=None, **headers):
        request = urllib.request.Request(URL + path, body, {"Host": gateway, **headers})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.status == status, (path, answer.status)
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            told = refused.read().decode()
            assert refused.code == status, (path, refused.code, told)
            return json.loads(told)

    known = {"Authorization": f"Bearer {key}"}
    assert ask("/v1/search?q=plate", 401)["status"] == 401
    until(
        "the gateway to find the batch", 30,
        lambda: ask("/v1/search?q=plate+collection:chest", **known)["total"] == SMALL,
    )
    new = ask("/v1/assets?filename=late.jpg&collection=chest", 201, picture(PICTURES + SMALL),
              **known, **{"Content-Type": "image/jpeg"})
    told = ask(f"/v1/assets/{new['asset']}", **known)
    assert told["digest"]["sha256"] == new["sha256"], told
    until("the new picture to be found", 10, lambda: ask("/v1/search?q=late", **known)["total"] == 1)
    say("the gateway answers: the batch is found, a picture is uploaded and found")


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
    with at_work(workers):
        perform(folder, operator, stacks, run, workers, bad, names)
        functions(folder, operator, stacks)


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
    given_back = until(
        "a shard in the hand of the one that is stopped", 60,
        lambda: stopped_over_a_shard(table, run, workers[1], 2),
    )
    workers.append(Worker(Home(folder, "worker 3", stacks)))
    say(f"resumed; worker 1 is told to end and gives shard {given_back} back")
    shard = until(
        "a shard in the victim's hand", 60,
        lambda: killed_over_a_shard(table, run, workers[0], 2),
    )
    say(f"worker 0 is killed over shard {shard}")
    status = until(
        "the end of the round", 150,
        lambda: (s := operator.status(run))["control"]["state"] != "running" and s,
    )
    balance = status["balance"]
    assert status["control"]["state"] == "reconciled", status["control"]
    assert balance["enriched"] == PICTURES - POISONED and balance["rejected"] == POISONED, balance
    assert sum(balance.values()) == PICTURES, balance
    for left, by in (shard, 0), (given_back, 1):
        others = done_by(workers, left, 2)
        assert others and by not in others, f"shard {left} was done by {others}"
    say(f"reconciled: {balance}; both shards were done by others")

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
    for worker in workers[2:]:
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
