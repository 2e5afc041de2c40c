#!/bin/sh
# Puts a redis-server into the folder $1: the one on PATH, or the one of Debian's or Ubuntu's packages. The packages are unpacked, not
# installed, so that this needs no root and starts no service.
set -eu

into=$1
rm -rf "$into"
mkdir -p "$into"

fail() {
	echo "e2e: $1. Install Redis 6.2 or newer, so that redis-server is on PATH, and run make e2e again." >&2
	rm -rf "$into"
	exit 1
}

if found=$(command -v redis-server); then
	ln -s "$found" "$into/redis-server"
	exit
fi
command -v apt-get >/dev/null || fail "redis-server is not installed, and there is no apt-get to download it"

# fetch downloads the packages and the libraries that they need. Its arguments are options of apt.
fetch() {
	libraries=$(apt-cache "$@" depends redis-server redis-tools | sed -n 's/^ *|*Depends: \(lib.*\|lua.*\)$/\1/p' | grep -v '^libc6$' | sort -u)
	apt-get "$@" download redis-server redis-tools $libraries
}

cd "$into"
set -- -q -o APT::Sandbox::User=root
if ! fetch "$@" >log 2>&1; then
	# The package lists of the system are missing or too old, so the script gets its own.
	mkdir -p state/partial cache/archives/partial
	set -- "$@" -o Dir::State::Lists="$into/state" -o Dir::Cache="$into/cache"
	{ apt-get "$@" update && fetch "$@"; } >log 2>&1 || { cat log >&2; fail "apt-get cannot download redis-server"; }
fi
for package in *.deb; do dpkg -x "$package" root; done
rm -rf ./*.deb state cache log

cat >redis-server <<'WRAPPER'
#!/bin/sh
root=$(dirname "$0")/root
LD_LIBRARY_PATH=$(echo "$root"/usr/lib/*-linux-gnu*) exec "$root/usr/bin/redis-server" "$@"
WRAPPER
chmod +x redis-server
./redis-server --version >/dev/null || fail "the redis-server of the package does not run"
