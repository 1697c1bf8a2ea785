#!/usr/bin/env python3
"""The parts of .ci/gates that are more than a command: cfn-guard's rules, and planted faults.

    gates.py guard FOLDER                 our rules over the templates in a folder
    gates.py definition FOLDER FILE       the state machine of a folder, as AWS would read it
    gates.py planted FOLDER               every gate must refuse a fault of its kind

It runs under the Python that cfn-lint and cfn-guard-rs were installed for.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cfn_guard_rs
from cfnlint.decode import cfn_yaml

RULES = Path(__file__).parent.parent / "infra/rules/glassplate.guard"
NOTHING = {"Ref": "AWS::NoValue"}

# The gate that must refuse, what it must say, the template, what is there, what is planted.
PLANTED = [
    ("cfn-lint", "E3002", "batch", "      QueueName:", "      QueueNaem:"),
    ("cfn-lint", "E3012", "storage", "PendingWindowInDays: 30", "PendingWindowInDays: thirty"),
    ("cfn-lint", "E1010", "batch", "!GetAtt PutAside.Arn", "!GetAtt PutAsied.Arn"),
    ("asl", "MISSING_TRANSITION_TARGET", "batch", '"Next": "Quarantine"', '"Next": "Quarantaine"'),
    ("asl", "SCHEMA_VALIDATION_FAILED", "batch", '"Type": "Choice"', '"Type": "Chioce"'),
    ("guard", "bucket_is_encrypted", "storage", "SSEAlgorithm: aws:kms", "SSEAlgorithm: AES256"),
    ("guard", "bucket_is_not_public", "storage", "BlockPublicPolicy: true", "BlockPublicPolicy: false"),
    ("guard", "bucket_keeps_versions", "storage", "Status: Enabled\n      Ownership", "Status: Suspended\n      Ownership"),
    ("guard", "bucket_ends_unfinished_uploads", "storage", "DaysAfterInitiation: 7", "DaysAfterInitiation: 70"),
    ("guard", "what_holds_the_archive_is_kept", "storage", "Bucket\n    DeletionPolicy: Retain", "Bucket\n    DeletionPolicy: Delete"),
    ("guard", "bucket_speaks_tls_alone", "storage", "aws:SecureTransport", "aws:SecureTransports"),
    ("guard", "no_plain_table", "storage", "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"),
    ("guard", "table_is_encrypted", "storage", "SSEType: KMS", "SSEType: AES256"),
    ("guard", "table_can_be_restored", "storage", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
    ("guard", "table_is_kept", "storage", "DeletionProtectionEnabled: true", "DeletionProtectionEnabled: false"),
    ("guard", "key_turns_and_is_kept", "storage", "EnableKeyRotation: true", "EnableKeyRotation: false"),
    ("guard", "queue_is_encrypted", "batch", "      KmsMasterKeyId: !Ref KeyArn\n", ""),
    ("guard", "queue_puts_aside", "batch", "      RedrivePolicy:", "      RedrivePolicies:"),
    ("guard", "queue_speaks_tls_alone", "batch", "aws:SecureTransport", "aws:SecureTransports"),
    ("guard", "topic_is_encrypted", "observe", "      KmsMasterKeyId: !Ref KeyArn\n", ""),
    ("guard", "topic_speaks_tls_alone", "observe", "aws:SecureTransport", "aws:SecureTransports"),
    ("guard", "log_is_encrypted_and_ends", "batch", "      RetentionInDays: !Ref LogDays\n", ""),
    ("guard", "file_system_is_encrypted_and_kept", "serve", "Encrypted: true", "Encrypted: false"),
    ("guard", "machine_is_encrypted_and_asks_with_a_token", "gpu", "HttpTokens: required", "HttpTokens: optional"),
    ("guard", "listener_speaks_tls_alone", "serve", "Protocol: HTTPS", "Protocol: HTTP"),
    ("guard", "edge_speaks_tls_alone", "edge", "redirect-to-https", "allow-all"),
    ("guard", "edge_speaks_tls_alone", "edge", "gateway\n              ViewerProtocolPolicy: https-only", "gateway\n              ViewerProtocolPolicy: allow-all"),
    ("guard", "edge_speaks_tls_alone", "edge", "                OriginProtocolPolicy: https-only\n", "                OriginProtocolPolicy: match-viewer\n"),
    ("guard", "function_is_encrypted", "gateway", "      KmsKeyArn: !Ref KeyArn\n", ""),
    ("guard", "function_is_called_by_one_alone", "gateway", "      SourceArn: !Sub", "      SourceAccount: !Sub"),
    ("guard", "gateway_is_logged_and_bounded", "gateway", "        ThrottlingRateLimit: !Ref RequestsASecond\n", ""),
    ("guard", "no_wildcard_without_a_reason", "gateway", "        Interfaces: Lambda", "        Interface: Lambda"),
    ("guard", "no_wildcard_without_a_reason", "batch", "Resource: !GetAtt Shards.Arn", 'Resource: "*"'),
    ("guard", "no_wildcard_without_a_reason", "batch", "        PaidLabels:", "        PiadLabels:"),
    ("guard", "no_wildcard_without_a_reason", "budget", "Action: [iam:AttachRolePolicy, iam:DetachRolePolicy]", "Action: iam:*"),
    ("guard", "nobody_may_do_everything", "batch", "Action: sqs:SendMessage", "Action: sqs:*"),
    ("checkov", "CKV_AWS_131", "serve", 'enabled\n          Value: "true"', 'enabled\n          Value: "false"'),
    ("checkov", "CKV_AWS_18", "storage", "      LoggingConfiguration:\n        DestinationBucketName: !Ref AccessLogs\n        LogFilePrefix: archive/\n", ""),
]


def present(node):
    """Takes what is conditional as present (of an Fn::If both branches in a list, else the first)
    and writes references as text, which rules can compare."""
    if isinstance(node, list):
        taken = []
        for item in node:
            branches = item["Fn::If"][1:] if isinstance(item, dict) and set(item) == {"Fn::If"} else [item]
            taken += [present(branch) for branch in branches if branch != NOTHING]
        return taken
    if isinstance(node, dict):
        if set(node) == {"Fn::If"}:
            return present(next(branch for branch in node["Fn::If"][1:] if branch != NOTHING))
        if set(node) == {"Ref"}:
            return "${" + node["Ref"] + "}"
        if set(node) == {"Fn::GetAtt"}:
            return "${" + ".".join(node["Fn::GetAtt"]) + "}"
        if set(node) == {"Fn::Sub"} and isinstance(node["Fn::Sub"], str):
            return node["Fn::Sub"]
        return {key: present(value) for key, value in node.items()}
    return node


def reasoned(template):
    """Gives each statement of a policy the reason for its wildcards that the metadata have under its Sid."""
    for resource in template["Resources"].values():
        reasons = resource.get("Metadata", {}).get("Wildcards", {})
        todo = [resource.get("Properties", {})]
        while todo:
            node = todo.pop()
            if isinstance(node, dict):
                if node.get("Sid") in reasons:
                    node["Reason"] = reasons[node["Sid"]]
                todo += node.values()
            elif isinstance(node, list):
                todo += node
    return template


def templates(folder):
    return sorted(Path(folder).glob("*.yaml"))


def guard(folder):
    """Prints what the rules refuse; answers whether nothing was."""
    rules = RULES.read_text(encoding="utf-8")
    refused = []
    for file in templates(folder):
        template = reasoned(present(json.loads(json.dumps(cfn_yaml.load(str(file))))))
        report = cfn_guard_rs.run_checks(template, rules)
        for clause in report.not_compliant:
            where = sorted(set(re.findall(r"'path': '(/Resources/[^']+)'", str(clause))))
            refused.append(f"{file.name}: {clause.Rule.name}: {', '.join(where) or 'missing'}")
    print("\n".join(refused) or f"cfn-guard: {rules.count(chr(10) + 'rule ')} rules hold of {len(templates(folder))} templates")
    return not refused


def definition(folder, into):
    """Writes the state machine with its substitutions: defaults of parameters, else an example."""
    template = cfn_yaml.load(str(Path(folder) / "batch.yaml"))
    machine = next(r for r in template["Resources"].values() if r["Type"] == "AWS::StepFunctions::StateMachine")
    values = {"Partition": "aws", "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/000000000000/shards"}
    for name, parameter in template["Parameters"].items():
        values.setdefault(name, str(parameter.get("Default", "example")))
    values["Table"] = "example"
    text = machine["Properties"]["DefinitionString"]
    for name in machine["Properties"]["DefinitionSubstitutions"]:
        text = text.replace("${" + name + "}", values[name])
    json.loads(text)
    Path(into).write_text(text, encoding="utf-8")


def planted(folder):
    """Plants each fault into a copy and sees it refused for what it is."""
    missed = []
    gates = Path(__file__).parent / "gates"
    here = os.environ["GLASSPLATE_GATES"].split()
    faults = [fault for fault in PLANTED if fault[0] in here]
    for gate, says, name, there, put in faults:
        text = (Path(folder) / f"{name}.yaml").read_text(encoding="utf-8")
        if there not in text:
            missed.append(f"{name}: there is no {there!r} to spoil")
            continue
        with tempfile.TemporaryDirectory() as copy:
            (Path(copy) / f"{name}.yaml").write_text(text.replace(there, put, 1), encoding="utf-8")
            ran = subprocess.run(
                [gates, "--only", gate, copy], capture_output=True, encoding="utf-8", env=os.environ
            )
        said = ran.stdout + ran.stderr
        if ran.returncode == 0 or says not in said:
            missed.append(f"{gate} does not say {says} of {name}: {there!r} -> {put!r}: {said[-300:]}")
    print("\n".join(missed) or f"{len(faults)} of {len(PLANTED)} faults planted, each refused by its gate")
    return not missed


def main():
    what, *rest = sys.argv[1:]
    if what == "definition":
        definition(*rest)
        return 0
    return 0 if {"guard": guard, "planted": planted}[what](*rest) else 1


sys.exit(main())
