#!/bin/sh
# Runs a command that downloads something, and tries it again three times if it fails, because a package registry may not answer for a
# moment: retry.sh COMMAND [ARGUMENT...]
for pause in 5 15 45; do
	"$@" && exit
	echo "This failed, and is tried again in $pause s: $*" >&2
	sleep "$pause"
done
"$@" || {
	status=$?
	echo "This has failed four times: $*. Check that the package registry can be reached; the messages above say what is wrong." >&2
	exit "$status"
}
