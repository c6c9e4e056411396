#!/bin/sh
# Makes the message classes of both copies of eventbus.proto. Usage: generate.sh [python] [where the tree begins]
# One file name for both copies: protobuf keeps one registry a process and accepts the same file twice.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
python=${1:-$root/.venv/bin/python}
into=${2:-$root}
for folder in integrations/salesforce/proto sandbox/salesforce/pubsub/proto; do
    mkdir -p "$into/$folder"
    "$python" -m grpc_tools.protoc -I "$root/$folder" --python_out="$into/$folder" --pyi_out="$into/$folder" eventbus.proto
done
