"""Creates the resources of template.yaml in moto, as far as moto can.

usage: stack.py TEMPLATE NAME=VALUE...      (the parameters of the template)

AWS_ENDPOINT_URL is moto's address. The template is transformed by the library that CloudFormation uses for AWS::Serverless. A resource is
left out if moto's CloudFormation does not know its type, or if it refers to one that is left out. Everything else must be created.
Standard output is JSON: the environment of each function, the physical ids of all resources, and the types of those that are left out.
"""

import contextlib
import io
import json
import re
import sys
import time
import warnings
import zipfile

import boto3
from moto.cloudformation.parsing import resource_class_from_type
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

BUCKET, KEY, STACK = "artifacts", "code.zip", "giftstats"


class NoManagedPolicies:
    """The template names no managed policy by its short name."""

    def load(self):
        return {}


def references(value):
    """The names that a part of the template refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        if name == "Ref":
            yield item
        elif name == "Fn::GetAtt":
            yield item[0] if isinstance(item, list) else item.split(".")[0]
        elif name == "Fn::Sub":
            text, more = (item, {}) if isinstance(item, str) else item
            yield from re.findall(r"\$\{(\w+)", text)
            yield from references(more)
        elif name == "DependsOn":
            yield from [item] if isinstance(item, str) else item
        else:
            yield from references(item)


def left_out(resources):
    """The names of the resources that moto cannot create."""
    names = {name for name, resource in resources.items() if not resource_class_from_type(resource["Type"])}
    while True:
        more = {name for name, resource in resources.items() if names.intersection(references(resource))} - names
        if not more:
            return names
        names |= more


def adapted(path, parameters):
    """The transformed template without what moto lacks, and the types of what is left out."""
    with open(path) as file:
        template = yaml_parse(file.read())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": KEY}
    template = transform(template, parameters, NoManagedPolicies())
    for parameter in template["Parameters"].values():
        # CloudFormation compares all parameters as strings. moto does not find a number among the keys of a mapping.
        parameter["Type"] = "String"
        if "Default" in parameter:
            parameter["Default"] = str(parameter["Default"])
    without = left_out(template["Resources"])
    missing = {name: template["Resources"].pop(name)["Type"] for name in without}
    template["Outputs"] = {name: o for name, o in template["Outputs"].items() if not without.intersection(references(o))}
    return template, missing


def create(template, parameters):
    """Creates the stack, and returns the physical ids by the names of the resources."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("bootstrap", "the tests run the packaged binaries themselves")
    storage = boto3.client("s3")
    storage.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": storage.meta.region_name})
    storage.put_object(Bucket=BUCKET, Key=KEY, Body=code.getvalue())
    stacks = boto3.client("cloudformation")
    stacks.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    while (status := stacks.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]) == "CREATE_IN_PROGRESS":
        time.sleep(0.1)
    if status != "CREATE_COMPLETE":
        sys.exit(f"the stack is {status}")
    pages = stacks.get_paginator("list_stack_resources").paginate(StackName=STACK)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    # What a condition leaves out is listed without a name.
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"]}


def main():
    parameters = dict(argument.split("=", 1) for argument in sys.argv[2:])
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        template, missing = adapted(sys.argv[1], parameters)
        created = create(template, parameters)
        functions = boto3.client("lambda")
        environments = {
            name: functions.get_function_configuration(FunctionName=created[name])["Environment"]["Variables"]
            for name, resource in template["Resources"].items()
            if resource["Type"] == "AWS::Lambda::Function"
        }
    # A resource with a condition may be absent for a good reason.
    absent = [name for name, r in template["Resources"].items() if name not in created and "Condition" not in r]
    json.dump({"functions": environments, "created": created, "absent": absent, "missing": missing}, sys.stdout)


main()
