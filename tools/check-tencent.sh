#!/bin/sh
# What has to be in place before serverless.yml is deployed. The CLI takes an unset variable silently as nothing (or, inside a longer
# value, as the word undefined) and uploads whatever lies in the folder; this names all that is missing and ends with 1.
#
#   sh tools/check-tencent.sh [check [STAGE]]   before each deploy
#   sh tools/check-tencent.sh after [STAGE]     prints the calls to make once, after the first deploy
#
# The names of variables and functions and the quotas are read from serverless.yml itself, so that nothing here can fall behind it.
set -eu
cd "$(dirname "$0")/.."
file=serverless.yml
mode=${1:-check}

# serverless.yml without its comments.
plain() { sed -e 's/^#.*//' -e 's/[[:space:]]#.*//' "$file"; }

[ -f "$file" ] || { echo "There is no $file in $(pwd)." >&2; exit 1; }
stage=${2:-$(plain | sed -n 's/^stage:[[:space:]]*//p')}
stage=${stage:-dev}

# The one file that the CLI reads variables from: the nearest, that of the stage first.
dotenv=
for folder in . .. ../..; do
  for candidate in "$folder/.env.$stage" "$folder/.env"; do
    if [ -z "$dotenv" ] && [ -f "$candidate" ]; then dotenv=$candidate; fi
  done
done

# value NAME: as the CLI will see it; the environment wins over the file, even when it is empty there.
value() {
  if eval "[ -n \"\${$1+set}\" ]"; then
    eval "printf '%s\n' \"\$$1\""
  elif [ -n "$dotenv" ]; then
    sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$dotenv" | tail -n 1 |
      sed -e 's/[[:space:]]*$//' -e "s/^'\(.*\)'\$/\1/" -e 's/^"\(.*\)"$/\1/'
  fi
}

# example NAME: what it is for, and a value that would do.
example() {
  case $1 in
    TENCENT_REGION) echo 'the region of the functions, like TENCENT_REGION=ap-singapore' ;;
    TENCENT_API_ROLE) echo 'the CAM role that api runs with, like TENCENT_API_ROLE=giftstats-api' ;;
    TENCENT_STREAMEND_ROLE) echo 'the CAM role that streamend runs with, like TENCENT_STREAMEND_ROLE=giftstats-streamend' ;;
    TENCENT_DEAD_LETTER_QUEUE) echo 'the CMQ queue for what failed for good, like TENCENT_DEAD_LETTER_QUEUE=giftstats-dead-letters' ;;
    GIFTSTATS_SECRET) echo "where the secret document is, like GIFTSTATS_SECRET='tencentssm://giftstats?version=v1&region=ap-singapore'" ;;
    GIFTSTATS_ENDPOINT) echo "the Chat app's region, like GIFTSTATS_ENDPOINT=singapore" ;;
    GIFTSTATS_DELIVER) echo 'where summaries go, like GIFTSTATS_DELIVER=https://example.com/giftstats (or log:// for only a log line)' ;;
    *) echo "what $file needs it for" ;;
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
  [ -n "$names" ] || complain "$file names no \${env:...} at all: it is not the file that this check was made for."
  for name in $names; do
    case $name in
      *[!A-Za-z0-9_]* | [0-9]*) complain "$file: \${env:$name} is no name that a shell can set." ;;
      *) [ -n "$(value "$name" | tr -d '[:space:]')" ] || complain "$name is not set, or empty. It says $(example "$name")" ;;
    esac
  done

  # The variables of a function are no place for a secret.
  secret=$(value GIFTSTATS_SECRET)
  case $secret in
    '' | tencentssm://* | awssecretsmanager://*) ;;
    *)
      complain "GIFTSTATS_SECRET must not be the secret itself: whoever may look at the function could read it."
      complain "It says $(example GIFTSTATS_SECRET)"
      ;;
  esac

  folder=$(plain | sed -n 's/^ *src: *\([^ ][^ ]*\) *$/\1/p')
  handlers=$(plain | sed -n 's/^ *handler: *\([^ ][^ ]*\) *$/\1/p')
  if [ -z "$folder" ] || [ -z "$handlers" ]; then
    echo "$file names no folder (src) or no handler." >&2
    exit 1
  fi
  for handler in $handlers; do
    binary=$folder/$handler
    if [ ! -f "$binary" ]; then
      complain "$binary is missing. Build it: make build"
    elif [ ! -s "$binary" ]; then
      complain "$binary is empty. Build it again: make build"
    elif [ ! -x "$binary" ]; then
      complain "$binary is not executable, and would not be on SCF either. Set the bit (chmod 755 $binary), or build it again: make build"
    fi
  done
  # The CLI uploads the whole folder, hidden files included.
  for path in "$folder"/* "$folder"/.[!.]*; do
    if [ -e "$path" ] && ! echo "$handlers" | grep -qxF -e "${path##*/}"; then
      complain "$path would be uploaded, too. Remove it, or build afresh: make clean build"
    fi
  done

  if [ "$bad" != 0 ]; then
    echo "Nothing was deployed. Set them in the environment, or in ${dotenv:-.env} as lines NAME=value, without export or comments." >&2
    exit 1
  fi
}

after() {
  region=$(value TENCENT_REGION)
  [ -n "$region" ] || { echo "TENCENT_REGION is not set, or empty. It says $(example TENCENT_REGION)" >&2; exit 1; }
  echo "# tccli is Tencent Cloud's own command line: pip install tccli, then tccli configure."
  echo '# Cap the instances, so that all of them together keep to the 200 calls per second that Tencent Chat allows. Then have SCF keep'
  echo '# and repeat what was invoked asynchronously as serverless.yml says.'
  plain | sed -e "s/\${stage}/$stage/g" | awk -v where="--region $region --Namespace default --FunctionName" '
    $1 == "name:" && /^      / { name = $2 }
    match($0, /Reserved quota [0-9]+/) {
      print "tccli scf PutReservedConcurrencyConfig", where, name, "--ReservedConcurrencyMem", substr($0, RSTART + 15, RLENGTH - 15)
    }
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
