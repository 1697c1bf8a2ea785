"""Rehearses heartbeats on a stand-in that heeds them: heartbeats.py GLASSPLATE URL LEDGER-URL

A worker is frozen over its shard, as a machine that swaps or loses its network is: it is not dead, and
says nothing. Its shard must go to another, and when it wakes it must not count a second time.
"""

import pathlib
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
from rehearsal import (  # noqa: E402
    Home, Worker, at_work, client, done_by, notes, outputs_of, picture, say, until,
)

PICTURES, SHARD, HEARTBEAT = 60, 10, 5
SECONDS = 240  # for all of it


def deploy(folder):
    """Makes state machine and queues by the real template; bucket and ledger by hand."""
    for bucket in "sources", "archive":
        client("s3").create_bucket(Bucket=bucket)
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    given = {
        "KeyArn": key, "BucketName": "archive", "BucketArn": "arn:aws:s3:::archive",
        "TableName": "ledger", "RegistryTableName": "registry",
        "ShardHeartbeatSeconds": HEARTBEAT, "ShardTimeoutSeconds": 120,
        "StepHeartbeatSeconds": HEARTBEAT, "StepTimeoutSeconds": 120, "VisibilitySeconds": 30,
    }
    # LocalStack makes numbers of digits, and then cannot put them into the definition, so they are put
    # there before; and it looks for the ResultWriter's paths in the Map's results instead of its input.
    body = Home(folder, "deployer").run("infra", "template", "batch").stdout
    for name, value in given.items():
        body = body.replace(f"${{{name}}}", str(value))
    writer = body.index('"ResultWriter"')
    body = body[:writer] + body[body.index('"ResultPath"', writer):]
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName="heartbeats-batch",
        TemplateBody=body,
        Parameters=[
            {"ParameterKey": name, "ParameterValue": str(value)} for name, value in given.items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="heartbeats-batch", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return {**outputs_of(), "BucketName": "archive", "TableName": "ledger", "RegistryTableName": "registry"}


def frozen_over_a_shard(table, run, worker):
    """Stops a worker that has a shard in hand, but lets it live."""
    worker.process.send_signal(signal.SIGSTOP)
    for shard, note in notes(table, run).items():
        if (note["worker"], note["state"]) == (worker.name(), "in_hand"):
            return shard
    worker.process.send_signal(signal.SIGCONT)
    return None


def rehearse(folder):
    stacks = deploy(folder)
    operator = Home(folder, "operator", stacks)
    operator.run("aws", "prepare", "--unprotected")
    for n in range(PICTURES):
        client("s3").put_object(Bucket="sources", Key=f"plate {n:03}.jpg", Body=picture(n))
    run = operator.json("batch", "plan", "s3://sources", "--collection", "plates",
                        "--without-labels", "--shard", str(SHARD))["run"]
    assert operator.json("batch", "start", run)["begun"]
    say(f"{run} is started over {PICTURES} pictures, with {HEARTBEAT} s between heartbeats at most")

    workers = [Worker(Home(folder, f"worker {n}", stacks)) for n in range(2)]
    with at_work(workers):
        shard = until(
            "a shard in the hand of the one that is frozen", 60,
            lambda: frozen_over_a_shard(stacks["TableName"], run, workers[0]),
        )
        say(f"worker 0 is frozen over shard {shard}")
        until("another to do that shard", 90, lambda: done_by(workers, shard, 1))
        assert done_by(workers, shard, 1) == [1], workers[1].ended
        say("worker 1 has done it")
        workers[0].process.send_signal(signal.SIGCONT)
        status = until(
            "the end of the round", 90,
            lambda: (s := operator.status(run))["control"]["state"] != "running" and s,
        )
        assert status["control"]["state"] == "reconciled", status["control"]
        # What the frozen one finds done when it wakes it calls unchanged.
        balance = status["balance"]
        assert balance["enriched"] + balance["unchanged"] == PICTURES == sum(balance.values()), status
        assert balance["enriched"] >= PICTURES - SHARD and len(operator.export()) == PICTURES, status
        until(
            "the frozen one to let its shard go", 30,
            lambda: [e for e in workers[0].ended if e["task"].get("shard") == shard],
        )
        last = next(e for e in workers[0].ended if e["task"].get("shard") == shard)
        say(f"reconciled: {status['balance']}; worker 0, awake again: {last['end']}")
        executions = client("stepfunctions").list_executions(stateMachineArn=stacks["StateMachineArn"])
        begun = executions["executions"][0]["executionArn"]
        ended = until(
            "the execution's end", 60,
            lambda: (e := client("stepfunctions").describe_execution(executionArn=begun))["status"] != "RUNNING"
            and e,
        )
        assert ended["status"] == "SUCCEEDED", ended
        for worker in workers:
            worker.end()


if __name__ == "__main__":
    signal.alarm(SECONDS)
    with tempfile.TemporaryDirectory(prefix="heartbeats-") as folder:
        rehearse(pathlib.Path(folder))
    say("heartbeats are heeded")
