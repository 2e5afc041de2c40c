#!/bin/sh
# Checks what serverless.yml needs before it is deployed. The CLI replaces an unset variable with nothing (or, inside a longer value, with
# the word undefined), and uploads every file in the folder. This script names everything that is wrong and exits with 1.
#
#   sh tools/check-tencent.sh [check [STAGE]]   run before each deployment
#   sh tools/check-tencent.sh after [STAGE]     print the calls to make once, after the first deployment
#
# The names of variables and functions and the quotas are read from serverless.yml, so that this script cannot become outdated.
set -eu
cd "$(dirname "$0")/.."
file=serverless.yml
mode=${1:-check}

# plain prints serverless.yml without its comments.
plain() { sed -e 's/^#.*//' -e 's/[[:space:]]#.*//' "$file"; }

[ -f "$file" ] || { echo "$file not found in $(pwd)" >&2; exit 1; }
stage=${2:-$(plain | sed -n 's/^stage:[[:space:]]*//p')}
stage=${stage:-dev}

# dotenv is the one file that the CLI reads variables from: in the nearest folder, and there the file of the stage first.
dotenv=
for folder in . .. ../..; do
  for candidate in "$folder/.env.$stage" "$folder/.env"; do
    if [ -z "$dotenv" ] && [ -f "$candidate" ]; then dotenv=$candidate; fi
  done
done

# value NAME prints the value that the CLI will see. A variable in the environment overrides the file, even if it is empty.
value() {
  if eval "[ -n \"\${$1+set}\" ]"; then
    eval "printf '%s\n' \"\$$1\""
  elif [ -n "$dotenv" ]; then
    sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$dotenv" | tail -n 1 |
      sed -e 's/[[:space:]]*$//' -e "s/^'\(.*\)'\$/\1/" -e 's/^"\(.*\)"$/\1/'
  fi
}

# given NAME reports whether a variable is set, even if it is empty.
given() {
  eval "[ -n \"\${$1+set}\" ]" || { [ -n "$dotenv" ] && grep -q "^[[:space:]]*$1[[:space:]]*=" "$dotenv"; }
}

# example NAME prints what a variable is for, and an example.
example() {
  case $1 in
    TENCENT_REGION) echo 'the region of the functions, for example TENCENT_REGION=ap-singapore' ;;
    TENCENT_API_ROLE) echo 'the CAM role of the api function, for example TENCENT_API_ROLE=giftstats-api' ;;
    TENCENT_STREAMEND_ROLE) echo 'the CAM role of the streamend function, for example TENCENT_STREAMEND_ROLE=giftstats-streamend' ;;
    TENCENT_DEAD_LETTER_QUEUE)
      echo 'the CMQ queue for events that failed permanently, for example TENCENT_DEAD_LETTER_QUEUE=giftstats-dead-letters'
      ;;
    GIFTSTATS_SECRET)
      echo "the address of the secret document, for example GIFTSTATS_SECRET='tencentssm://giftstats?version=v1&region=ap-singapore'"
      ;;
    GIFTSTATS_ENDPOINT) echo 'the region of the Chat app, for example GIFTSTATS_ENDPOINT=singapore' ;;
    GIFTSTATS_LEDGER)
      echo 'the address of Redis or Valkey, which turns the ledger on, for example GIFTSTATS_LEDGER=redis://10.0.0.7:6379/0'
      ;;
    GIFTSTATS_LEDGER_RETENTION)
      echo 'how long the ledger remembers an ended stream, for example GIFTSTATS_LEDGER_RETENTION=9600h'
      ;;
    GIFTSTATS_CORS_ORIGINS)
      echo 'the origins whose web pages may call the API, for example GIFTSTATS_CORS_ORIGINS=https://app.example.com'
      ;;
    TENCENT_VPC) echo 'the private network (VPC) of the database, for example TENCENT_VPC=vpc-12345678' ;;
    TENCENT_SUBNET) echo 'a subnet of that network, for example TENCENT_SUBNET=subnet-12345678' ;;
    GIFTSTATS_DELIVER)
      echo 'where summaries go, for example GIFTSTATS_DELIVER=https://example.com/giftstats (or log:// for a log line only)'
      ;;
    *) echo "a variable that $file uses" ;;
  esac
}

# optional NAME reports whether a variable may be missing: those of the ledger, and the origins of web pages.
optional() {
  case $1 in
    GIFTSTATS_LEDGER | GIFTSTATS_LEDGER_RETENTION | TENCENT_VPC | TENCENT_SUBNET | GIFTSTATS_CORS_ORIGINS) true ;;
    *) false ;;
  esac
}

check() {
  bad=0
  complain() { echo "$1" >&2; bad=1; }

  names=$(plain | awk '{
    while (match($0, /\$\{env:[A-Za-z0-9_.-]*\}/)) {
      print substr($0, RSTART + 6, RLENGTH - 7)
      $0 = substr($0, RSTART + RLENGTH)
    }
  }' | sort -u)
  [ -n "$names" ] || complain "$file contains no \${env:...}; this check is for a file that does."
  for name in $names; do
    case $name in
      *[!A-Za-z0-9_]* | [0-9]*) complain "$file: \${env:$name} is not a valid name of a variable." ;;
      *)
        if [ -n "$(value "$name" | tr -d '[:space:]')" ]; then
          continue
        elif ! optional "$name"; then
          complain "$name is not set or empty. It is $(example "$name")"
        elif given "$name"; then
          complain "$name is set but empty. Remove it, or set it. It is $(example "$name")"
        fi
        ;;
    esac
  done

  # The variables of a function can be read by others, so they must not contain a secret.
  secret=$(value GIFTSTATS_SECRET)
  case $secret in
    '' | tencentssm://* | awssecretsmanager://*) ;;
    *)
      complain "GIFTSTATS_SECRET must be the address of the secret, not the secret itself: anyone who may view the function can read it."
      complain "It is $(example GIFTSTATS_SECRET)"
      ;;
  esac

  vpc=$(value TENCENT_VPC)
  subnet=$(value TENCENT_SUBNET)
  case $(value GIFTSTATS_LEDGER) in
    *@*)
      complain 'GIFTSTATS_LEDGER must not contain a user or password: anyone who may view the function can read it.'
      complain 'Put them in the secret document, as ledger.username and ledger.password.'
      ;;
    redis://*)
      [ -n "$vpc" ] || complain "TENCENT_VPC is missing, but GIFTSTATS_LEDGER is a private address. It is $(example TENCENT_VPC)"
      ;;
    '' | rediss://*) ;;
    *) complain "GIFTSTATS_LEDGER must start with redis:// or rediss://. It is $(example GIFTSTATS_LEDGER)" ;;
  esac
  if [ -n "$vpc" ] && [ -z "$subnet" ]; then
    complain "TENCENT_SUBNET is missing, but TENCENT_VPC is set. It is $(example TENCENT_SUBNET)"
  elif [ -z "$vpc" ] && [ -n "$subnet" ]; then
    complain "TENCENT_VPC is missing, but TENCENT_SUBNET is set. It is $(example TENCENT_VPC)"
  fi

  folder=$(plain | sed -n 's/^ *src: *\([^ ][^ ]*\) *$/\1/p')
  handlers=$(plain | sed -n 's/^ *handler: *\([^ ][^ ]*\) *$/\1/p' | sort -u)
  if [ -z "$folder" ] || [ -z "$handlers" ]; then
    echo "$file has no folder (src) or no handler." >&2
    exit 1
  fi
  for handler in $handlers; do
    binary=$folder/$handler
    if [ ! -f "$binary" ]; then
      complain "$binary is missing. Build it: make build"
    elif [ ! -s "$binary" ]; then
      complain "$binary is empty. Build it again: make build"
    elif [ ! -x "$binary" ]; then
      complain "$binary is not executable, so it could not start on SCF. Run chmod 755 $binary, or build it again: make build"
    fi
  done
  # The CLI uploads the whole folder, including hidden files.
  for path in "$folder"/* "$folder"/.[!.]*; do
    if [ -e "$path" ] && ! echo "$handlers" | grep -qxF -e "${path##*/}"; then
      complain "$path would be uploaded too. Remove it, or build again: make clean build"
    fi
  done

  if [ "$bad" != 0 ]; then
    echo "Nothing was deployed. Set variables in the environment, or in ${dotenv:-.env} as NAME=value, without export or comments." >&2
    exit 1
  fi
}

after() {
  region=$(value TENCENT_REGION)
  [ -n "$region" ] || { echo "TENCENT_REGION is not set or empty. It is $(example TENCENT_REGION)" >&2; exit 1; }
  echo "# tccli is Tencent Cloud's command line: pip install tccli, then tccli configure."
  echo '# These calls limit the number of instances, so that all of them together stay within the 200 calls per second that Tencent Chat'
  echo '# allows, and set the retries of asynchronous invocations that serverless.yml states.'
  plain | sed -e "s/\${stage}/$stage/g" -e "s/'//g" | awk -v where="--region $region --Namespace default --FunctionName" '
    $1 == "name:" && /^      / { name = $2 }
    $1 == "reserved_mb:" { print "tccli scf PutReservedConcurrencyConfig", where, name, "--ReservedConcurrencyMem", $2 }
    $1 == "msgTTL:" { ttl = $2 }
    $1 == "retryNum:" {
      config = "{\"RetryConfig\":[{\"RetryNum\":" $2 "}],\"MsgTTL\":" ttl "}"
      print "tccli scf UpdateFunctionEventInvokeConfig", where, name, "--AsyncTriggerConfig", "\047" config "\047"
    }'
}

case $mode in
  check | after) "$mode" ;;
  *) echo "usage: sh tools/check-tencent.sh [check|after] [STAGE]" >&2; exit 2 ;;
esac
