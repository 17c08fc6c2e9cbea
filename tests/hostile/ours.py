#!/usr/bin/env python3
"""Writes a file of the hostile corpus in our words: `ours.py FILE PLUGIN DIGEST > plan.yaml`.

The corpus is in a draft of a format. Line by line, its keys become ours, and what a plan of ours has to have besides is put beside them, so
that a file is refused for its attack and for nothing else. It knows YAML only as lines: most of the attacks are no YAML that a parser would keep.
"""
import re
import sys

file, plugin, digest = sys.argv[1:4]
text = open(file, encoding="utf-8").read()
DIGEST = "0" * 64 if digest == "blank" else digest


def action(command, used):
    name = used or plugin
    # The nearest that we have to variables is what the environment of a step is built from.
    wanted = ""
    if environment:
        variables = [line.strip() for line in environment.group(1).strip().split("\n")]
        wanted = ", environment: {" + ", ".join(variables) + "}"
    return f"action: {{plugin: {name}, digest: 'sha256:{DIGEST}', runner: template, writes: [docs/], commands: [{{argv: {command}}}]{wanted}}}"


environment = re.search(r"^    env:\n((?:      .*\n?)+)", text, re.M)
if environment:
    text = text.replace(environment.group(0), "")
inputs = re.search(r"^inputs:\n((?:  .*\n)+)", text, re.M)
given = ""
if inputs:
    text = text.replace(inputs.group(0), "")
    given = ", inputs: {" + inputs.group(1).strip() + "}"

ours, used = [], None
for line in text.split("\n"):
    key = re.match(r"^(\s*(?:- )?)([A-Za-z]+):(.*)$", line)
    if not key:
        ours.append(line)
        continue
    indent, word, rest = key.groups()
    inner = " " * len(indent)
    top = indent == ""
    if top and word == "apiVersion":
        ours.append("schema: 1")
    elif top and word == "kind":
        ours.append("engine: 1\nunderstood: []")
    elif top and word == "id":
        continue
    elif top and word == "goal":
        ours.append(f"task:{rest}")
    elif word == "id":
        more = ["doing: Doing it", "provides: []", "why: the corpus", "backoff_ms: 1"]
        if "title:" not in text and "prompt:" not in text:
            more.append("title: Do it")
        if "retries:" not in text:
            more.append("attempts_max: 1")
        if "timeout:" not in text and "timout:" not in text:
            more.append("timeout_s: 30")
        if "run:" not in text and "uses:" not in text:
            more.append(action("['true']", None))
        if "validate:" not in text:
            more.append("checks: []" if "validat:" not in text else "")
        ours.append(f"{indent}id:{rest}")
        ours.extend(inner + field for field in more if field)
    elif word == "uses":
        used = rest.strip()
        if "run:" not in text:
            ours.append(indent + action("['true']", used))
    elif word == "run":
        made = action(rest.strip(), used)
        ours.append(indent + made.replace("writes:", given[2:] + ", writes:" if given else "writes:"))
    elif word == "validate":
        ours.append(f"{indent}checks: [{{id: done, command: {{argv: {rest.strip()}}}}}]")
    elif word == "timeout":
        seconds = rest.strip().rstrip("sd")
        ours.append(f"{indent}timeout_s: {seconds}")
    elif word == "retries":
        ours.append(f"{indent}attempts_max:{rest}")
    elif word == "agent":
        continue
    elif word == "prompt":
        ours.append(f"    title:{rest}")
    else:
        ours.append(line)
sys.stdout.write("\n".join(ours))
