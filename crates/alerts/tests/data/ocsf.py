"""Holds events of OCSF, one a line on standard input, against the schema as it is published."""

import json
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema.embedded import OcsfJsonSchemaEmbedded
from ocsf_json_schema.loader import get_ocsf_schema
from ocsf_json_schema.schema import OcsfJsonSchema

VERSION = "1.7.0"
PROFILES = ["security_control"]


def main() -> int:
    schema = OcsfJsonSchemaEmbedded(OcsfJsonSchema(get_ocsf_schema(VERSION)))
    validators: dict[int, Draft202012Validator] = {}
    count = faults = 0
    for line in filter(None, map(str.strip, sys.stdin)):
        event = json.loads(line)
        uid = event["class_uid"]
        if uid not in validators:
            name = schema.lookup_class_name_from_uid(uid)
            validators[uid] = Draft202012Validator(schema.get_class_schema(name, PROFILES))
        count += 1
        if event["metadata"]["version"] != VERSION:
            print(f"metadata.version is not {VERSION}")
            faults += 1
        if event["type_uid"] != uid * 100 + event["activity_id"]:
            print("type_uid is not that of the class and the activity")
            faults += 1
        for error in validators[uid].iter_errors(event):
            print(f"{uid} {error.json_path}: {error.message[:300]}")
            faults += 1
    if faults == 0:
        print(f"{count} events are valid")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
